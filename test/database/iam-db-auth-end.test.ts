// The catalogue of IAM database authentication (C3): how a pool ends, and Aurora DSQL.
import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { noCertificates } from '../support/certificates.ts'
import {
  type AnyPool,
  dsqlEndpoint,
  endpoint,
  tokensOf,
  useIamDatabases,
  work,
} from '../support/iam-databases.ts'
import { startScript } from '../support/run-script.ts'

describe.skipIf(noCertificates() !== undefined)('the pool of iamDbAuth()', () => {
  const { databases, certificate, make } = useIamDatabases()

  describe.each(databases)('$engine', (tested) => {
    const { server } = tested
    const select = ({ db }: { readonly db: AnyPool }) => db.query('select 1')

    it('database C3.19: goes on when a handler throws', async () => {
      const database = make(tested, { max: 1 })
      await expect(
        work(database, async (context) => {
          await select(context)
          throw new Error('the handler failed')
        }),
      ).rejects.toThrow('the handler failed')
      await work(database, select)
      expect(server.logins).toHaveLength(1)
      expect(server.openConnections).toBe(1)
    })

    it('database C3.19: says goodbye at end(), and is made anew by the next invocation', async () => {
      const database = make(tested)
      const first = await work(database, async ({ db }) => {
        await db.query('select 1')
        return db
      })
      await Promise.all([database.end(), database.end()])
      await database.end()
      await expect(first.query('select 2')).rejects.toThrow(/pool/i)
      await work(database, select)
      expect(server.queries).toEqual(['select 1', 'select 1'])
      expect(server.goodbyes).toBe(1)
    })

    it('database C3.19: what end() meets while it is made does not come back', async () => {
      const database = make(tested)
      const request = { context: {} as Record<string, unknown> }
      const invocation = database.before?.(request as never)
      await database.end()
      await invocation
      const ended = request.context['db']
      expect(ended).toBeDefined()
      const next = await work(database, ({ db }) => db)
      expect(next).not.toBe(ended)
      await next.query('select 1')
      expect(server.queries).toEqual(['select 1'])
    })

    it('database C3.19: leaves no listener behind on the process', async () => {
      vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop')
      const before = process.listenerCount('SIGTERM')
      const made = [make(tested), make(tested)]
      for (const database of made) await work(database, select)
      expect(process.listenerCount('SIGTERM')).toBe(before + 1)
      for (const database of made) await database.end()
      expect(process.listenerCount('SIGTERM')).toBe(before)
    })
  })

  it('database C3.19: all pools of a process say goodbye when Lambda ends it', async () => {
    const options = databases.map(({ engine, server: { port } }) => ({
      engine,
      endpoint,
      host: '127.0.0.1',
      port,
      username: 'app',
      database: 'shop',
      ca: certificate.certFile,
    }))
    const script = `
      import middy from '@middy/core'
      import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
      for (const options of ${JSON.stringify(options)})
        await middy().use(iamDbAuth(options)).handler((_, { db }) => db.query('select 1'))({}, {})
      process.on('exit', (code) => console.log('exit', code))
      setInterval(() => undefined, 1000)
      console.log('ready')`
    const child = startScript(script, {
      AWS_LAMBDA_FUNCTION_NAME: 'shop',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    })
    let output = ''
    const isReady = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        output += String(chunk)
        if (output.includes('ready')) resolve()
      })
    })
    child.stderr.on('data', (chunk) => (output += String(chunk)))
    const exit = once(child, 'close')
    await Promise.race([isReady, exit])
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
    expect(output).toBe('ready\nexit 0\n')
    expect(databases.map(({ server }) => server.goodbyes)).toEqual([1, 1])
  })

  it.each(['admin', 'app'])('database C3.20: Aurora DSQL has a token of its own for %s', async (username) => {
    const [postgres] = databases as [(typeof databases)[0]]
    await work(make(postgres, { endpoint: dsqlEndpoint, username }), ({ db }) => db.query('select 1'))
    expect(postgres.server.logins).toMatchObject([{ user: username, servername: dsqlEndpoint }])
    expect(tokensOf(postgres.server)).toMatchObject([
      {
        action: username === 'admin' ? 'DbConnectAdmin' : 'DbConnect',
        service: 'dsql',
        host: dsqlEndpoint,
        region: 'eu-central-1',
        isGenuine: true,
      },
    ])
  })

  it('database C3.20: a connection to Aurora DSQL is given up before its hour is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [postgres] = databases as [(typeof databases)[0]]
    const database = make(postgres, { endpoint: dsqlEndpoint, max: 1 })
    for (let minute = 0; minute < 54; minute++) {
      await work(database, ({ db }) => db.query('select 1'))
      vi.advanceTimersByTime(60_000)
    }
    expect(postgres.server.logins).toHaveLength(1)
    vi.advanceTimersByTime(60_000)
    await work(database, ({ db }) => db.query('select 1'))
    expect(postgres.server.logins).toHaveLength(2)
  })
})
