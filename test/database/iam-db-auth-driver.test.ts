// The drivers under iamDbAuth(), and what is built on them: X10, X20, X21, X22.
import middy from '@middy/core'
import { environment } from 'clearskies-middy/middleware/environment'
import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { invoke } from 'clearskies-middy/testing'
import { Kysely, MysqlDialect, PostgresDialect, sql } from 'kysely'
import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { noCertificates } from '../support/certificates.ts'
import { nativeHash } from '../support/fake-mysql.ts'
import { errorOf, useIamDatabases, work } from '../support/iam-databases.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { putVersion, useSecretStores } from '../support/secret-stores.ts'

describe.skipIf(noCertificates() !== undefined)('the drivers under iamDbAuth()', () => {
  const { databases, make } = useIamDatabases()
  const { aws, stores } = useSecretStores()

  describe.each(databases)('$engine', (tested) => {
    const { engine, server, connection } = tested
    const refusal = { code: engine === 'postgres' ? '28P01' : '1045', message: 'Access denied for user' }
    const sent = engine === 'postgres' ? String : nativeHash

    /** A chain whose password is a secret, on a server that accepts one password. */
    function rotating(index: number, address: string) {
      const store = stores[index]!
      server.asksForToken = engine === 'postgres'
      let accepted = 'first'
      server.onLogin = ({ token }) => (token === sent(accepted) ? undefined : refusal)
      vi.stubEnv('db_password', address)
      const handler = middy()
        .use(store.make({ client: store.client(), logger: new RecordingLogger() }))
        .use(environment({ file: false }))
        .use(make(tested, { auth: 'password', max: 1 }))
        .handler(async (_: unknown, { db }) => {
          const own = await connection(db)
          own.release()
        })
      return {
        run: () => invoke(handler, {}),
        accept: (password: string) => {
          accepted = password
          return server.endConnections()
        },
      }
    }

    it.each([
      [0, 'Parameter Store', 'secret://db/pw'],
      [0, 'Parameter Store', 'ssm://db/pw#password'],
      [1, 'Secrets Manager', 'secret://db/pw'],
      [1, 'Secrets Manager', 'secretsmanager://db/pw#password'],
    ])(
      'X10: a rotated password is followed, with one attempt more (%i, %s, %s)',
      async (index, _, address) => {
        const name = index === 0 ? '/db/pw' : 'db/pw'
        const text = (password: string) => (address.includes('#') ? JSON.stringify({ password }) : password)
        const put = (password: string) => stores[index]!.put(name, text(password))
        put('first')
        const { run, accept } = rotating(index, address)
        await run()
        expect(server.logins).toHaveLength(1)
        put('second')
        await accept('second')
        await run()
        expect(server.logins.map(({ token }) => token)).toEqual(['first', 'first', 'second'].map(sent))
        await accept('second')
        await run()
        expect(server.logins).toHaveLength(4)
      },
    )

    it('X10: the version to come is tried last, and a value that was refused not twice', async () => {
      const put = (password: string, stage?: string) =>
        putVersion(aws.server, 'db/pw', { string: password }, stage)
      put('first')
      const { run, accept } = rotating(1, 'secret://db/pw')
      await run()
      put('pending', 'AWSPENDING')
      await accept('pending')
      await run()
      expect(server.logins.map(({ token }) => token)).toEqual(['first', 'first', 'pending'].map(sent))
      await accept('nobody knows')
      const error = await errorOf(run())
      expect(error).toMatchObject({ message: expect.stringContaining('Access denied') })
      expect(server.logins.slice(3).map(({ token }) => token)).toEqual(['first', 'pending'].map(sent))
    })

    it('X10: a password that is no secret is tried once', async () => {
      const { run } = rotating(0, 'wrong')
      expect(await errorOf(run())).toMatchObject({ message: expect.stringContaining('Access denied') })
      expect(server.logins).toHaveLength(1)
    })

    it.each([
      'host',
      'port',
      'user',
      'password',
      'database',
      'ssl',
      'stream',
      engine === 'postgres' ? 'connectionString' : 'uri',
    ])('X21: the option "%s" of the driver is not the user’s', (name) => {
      expect(() => iamDbAuth({ engine, pool: { [name]: 'x' } })).toThrow(TypeError)
      expect(() => iamDbAuth({ engine, pool: { [name]: 'x' } })).toThrow(
        new RegExp(`"pool" cannot have "${name}"`),
      )
    })

    it.each([{ pool: 'x' }, { pool: null }, { statementTimeout: 0 }, { statementTimeout: '5' }])(
      'X21: the option %o is refused when the factory is called',
      (options) => {
        expect(() => iamDbAuth({ engine, ...options } as never)).toThrow(/has a wrong value/)
      },
    )

    it('X21: a connect timeout that is given stands', async () => {
      const sockets = new Set<Socket>()
      const silent = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const { port } = silent.address() as AddressInfo
      const pool = engine === 'postgres' ? { connectionTimeoutMillis: 50 } : { connectTimeout: 50 }
      expect(
        (await errorOf(work(make(tested, { port, pool }), ({ db }) => db.query('select 1')))).message,
      ).toMatch(/timeout|ETIMEDOUT/i)
      silent.close()
      for (const socket of sockets) socket.destroy()
    })

    it('X22: the pool takes callbacks, and lets tools replace its methods', async () => {
      const name = engine === 'postgres' ? 'connect' : 'getConnection'
      type Connect = (done: (error: Error | undefined, own: { release(): void }) => void) => void
      await work(make(tested, { max: 1 }), async ({ db }) => {
        const pool = db as unknown as Record<string, Connect>
        for (let round = 0; round < 3; round++) {
          await new Promise<void>((resolve) => {
            pool[name]?.((error, own) => {
              expect(error ?? undefined).toBeUndefined()
              own.release()
              resolve()
            })
          })
          const connect = pool[name]!
          pool[name] = (done) => {
            connect.call(pool, done)
          }
        }
      })
      expect(server.logins).toHaveLength(1)
    })

    it('X22: Kysely works on the pool as it is', async () => {
      await work(make(tested), async ({ db }) => {
        const dialect =
          engine === 'postgres'
            ? new PostgresDialect({ pool: db as never })
            : new MysqlDialect({ pool: db as never })
        const kysely = new Kysely<object>({ dialect })
        // A fake that has no rows, and knows no prepared statements, is enough to see that nothing hangs.
        await (engine === 'mysql' ? sql`select 1`.execute(kysely) : db.query('select 1'))
      })
      expect(server.queries).toEqual(['select 1'])
    })

    it('X20: an error has no statement with its values', async () => {
      server.onQuery = () => ({ code: engine === 'postgres' ? '23505' : '1062', message: 'Duplicate entry' })
      const error = await work(make(tested), ({ db }) =>
        errorOf(
          (db.query as (...args: unknown[]) => Promise<unknown>)(
            engine === 'postgres' ? 'select 1' : 'select ?',
            engine === 'postgres' ? undefined : ['SECRET-MARKER'],
          ),
        ),
      )
      expect(error.message).toMatch(/Duplicate entry/)
      expect(JSON.stringify(error) + JSON.stringify(Object.getOwnPropertyDescriptors(error))).not.toContain(
        'MARKER',
      )
    })
  })
})
