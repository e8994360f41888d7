// The catalogue of IAM database authentication (C3): tokens, TLS and who the server is.
import { Signer } from '@aws-sdk/rds-signer'
import { ConfigurationError } from 'clearskies-middy'
import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { describe, expect, it, vi } from 'vitest'
import { makeCertificate, noCertificates } from '../support/certificates.ts'
import { endpoint, errorOf, tokensOf, useIamDatabases, work } from '../support/iam-databases.ts'

const minutes = 60_000
const obstacle = noCertificates()
if (obstacle !== undefined) console.log(`The tests of IAM database authentication are skipped: ${obstacle}`)

describe.skipIf(obstacle !== undefined)('iamDbAuth()', () => {
  const { databases, directory, make } = useIamDatabases()

  describe.each(databases)('$engine', (tested) => {
    const { server, connection, denied } = tested

    it('logs in with a token that is signed for this host, port, user and region, through TLS', async () => {
      await work(make(tested), ({ db }) => db.query('select 1'))
      expect(server.queries).toEqual(['select 1'])
      expect(server.logins).toMatchObject([{ user: 'app', isEncrypted: true, servername: endpoint }])
      const [token] = tokensOf(server)
      expect(token).toMatchObject({
        action: 'connect',
        host: endpoint,
        port: server.port,
        user: 'app',
        accessKeyId: 'test',
        region: 'eu-central-1',
        service: 'rds-db',
        expires: 900,
        isGenuine: true,
      })
      expect(Math.abs(Date.now() - (token?.signedAt ?? 0))).toBeLessThan(60_000)
    })

    it.each(['sdk', 'light'] as const)(
      'with the signer "%s" its token is the one that the package of the SDK makes, odd letters in the name included',
      async (kind) => {
        vi.useFakeTimers({ toFake: ['Date'] })
        const username = 'ä p/p+@x'
        await work(make(tested, { username, signer: kind }), ({ db }) => db.query('select 1'))
        const signer = new Signer({ hostname: endpoint, port: server.port, username, region: 'eu-central-1' })
        expect(server.logins[0]?.token).toBe(await signer.getAuthToken())
        expect(tokensOf(server)).toMatchObject([{ user: username, isGenuine: true }])
      },
    )

    it('database C3.1: a connection goes on beyond the life of its token', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      const database = make(tested, { max: 1 })
      await work(database, ({ db }) => db.query('select 1'))
      vi.setSystemTime(Date.now() + 16 * minutes)
      await work(database, ({ db }) => db.query('select 2'))
      expect(server.queries).toEqual(['select 1', 'select 2'])
      expect(server.logins).toHaveLength(1)
    })

    it('database C3.2: a new connection after 16 minutes has a new token', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      server.onLogin = () => {
        const { signedAt = 0, expires = 0 } = tokensOf(server).at(-1) ?? {}
        return Date.now() > signedAt + expires * 1000 ? refused : undefined
      }
      const refused = { code: tested.engine === 'mysql' ? '1045' : '28000', message: denied.source }
      const database = make(tested)
      await work(database, async ({ db }) => {
        const first = await connection(db)
        vi.setSystemTime(Date.now() + 16 * minutes)
        const second = await connection(db)
        await second.query('select 2')
        first.release()
        second.release()
      })
      const [first, second] = tokensOf(server)
      expect((second?.signedAt ?? 0) - (first?.signedAt ?? 0)).toBeGreaterThanOrEqual(16 * minutes - 1000)
      expect(server.queries).toEqual(['select 2'])
    })

    it('database C3.3: to a server without TLS nothing is sent, and the pool works as soon as it has', async () => {
      server.hasTls = false
      const database = make(tested)
      const error = await errorOf(work(database, ({ db }) => db.query('select 1')))
      expect(error.message).toMatch(/does not support (SSL connections|secure connection)/)
      expect(server.logins).toEqual([])
      server.hasTls = true
      await work(database, ({ db }) => db.query('select 1'))
      expect(server.logins).toMatchObject([{ isEncrypted: true }])
    })

    it('database C3.3: variables of the drivers turn TLS off no more than options do', async () => {
      vi.stubEnv('PGSSLMODE', 'disable')
      vi.stubEnv('PGPASSWORD', 'static')
      await work(make(tested), ({ db }) => db.query('select 1'))
      expect(server.logins).toMatchObject([{ isEncrypted: true }])
      expect(tokensOf(server)).toMatchObject([{ isGenuine: true }])
      expect(() => iamDbAuth({ engine: tested.engine, tls: false })).toThrow(
        new TypeError('iamDbAuth(): a token is never sent without TLS'),
      )
    })

    it('database C3.4: a certificate that nobody has vouched for is refused, and nothing sent', async () => {
      const other = makeCertificate(directory, 'other', `DNS:${endpoint}`)
      const error = await errorOf(
        work(make(tested, { ca: other.certFile }), ({ db }) => db.query('select 1')),
      )
      expect(`${error.code} ${error.message}`).toMatch(/self[- ]signed/i)
      expect(server.logins).toEqual([])
    })

    it('database C3.4: any certificate will do where that is asked for by name, and nowhere else', async () => {
      const other = makeCertificate(directory, 'other', `DNS:${endpoint}`)
      const strange = { ca: other.certFile, endpoint: 'other.c1.eu-central-1.rds.amazonaws.com' }
      await errorOf(work(make(tested, strange), ({ db }) => db.query('select 1')))
      expect(server.logins).toEqual([])
      await work(make(tested, { ...strange, insecure: true }), ({ db }) => db.query('select 1'))
      expect(server.logins).toMatchObject([{ isEncrypted: true }])
    })

    it('database C3.5: a certificate of another host is refused, and nothing sent', async () => {
      const options = { endpoint: 'other.c1.eu-central-1.rds.amazonaws.com' }
      const error = await errorOf(work(make(tested, options), ({ db }) => db.query('select 1')))
      expect(error.message).toMatch(/does not match certificate's altnames/)
      expect(server.logins).toEqual([])
    })

    it('database C3.5: an address as the endpoint is refused, for certificates have names', async () => {
      const error = await errorOf(work(make(tested, { endpoint: '127.0.0.1' }), () => 1))
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error.message).toMatch(/db_endpoint is an address.*the option "host"/)
      expect(server.connections).toBe(0)
    })

    it('database C3.7: behind another name, the token and the certificate are those of the endpoint', async () => {
      await work(make(tested, { host: 'localhost' }), async ({ db, connectionDetails }) => {
        await db.query('select 1')
        expect(connectionDetails).toMatchObject({ host: 'localhost', port: server.port, endpoint })
      })
      expect(server.logins).toMatchObject([{ servername: endpoint }])
      expect(tokensOf(server)).toMatchObject([{ host: endpoint, isGenuine: true }])
      const strange = { host: 'localhost', endpoint: 'other.c1.eu-central-1.rds.amazonaws.com' }
      const error = await errorOf(work(make(tested, strange), ({ db }) => db.query('select 1')))
      expect(error.message).toMatch(/does not match certificate's altnames/)
      expect(server.logins).toHaveLength(1)
    })

    it('database C3.15: keys without a session make a token without one', async () => {
      vi.stubEnv('AWS_SESSION_TOKEN', undefined)
      await work(make(tested), ({ db }) => db.query('select 1'))
      vi.stubEnv('AWS_SESSION_TOKEN', 'session/token+x=')
      await work(make(tested), ({ db }) => db.query('select 1'))
      expect(tokensOf(server)).toMatchObject([
        { sessionToken: undefined, isGenuine: true },
        { sessionToken: 'session/token+x=', isGenuine: true },
      ])
    })

    it('the details make tokens for other clients, new ones each time', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      const tokens = await work(make(tested), async ({ connectionDetails: { password, ca } }) => {
        expect(ca?.some((one) => one.startsWith('-----BEGIN CERTIFICATE-----'))).toBe(true)
        const first = await password()
        vi.setSystemTime(Date.now() + minutes)
        return [first, await password()]
      })
      expect(new Set(tokens).size).toBe(2)
      expect(tokens[0]).toMatch(new RegExp(`^${endpoint}:${server.port}/\\?Action=connect&DBUser=app&`))
    })
  })
})
