// Tokens as a database judges them: PAM recomputes each signature, and looks at its user, region and age.
import { type IamDbAuth, type IamDbAuthOptions, iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type DatabaseServer,
  databases,
  endpoint,
  restart,
  setServerClock,
} from '../../support/database-servers.ts'
import { type AnyPool, errorOf, work } from '../../support/iam-databases.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'

const minutes = 60_000

describe.each(databases)('$title', (server) => {
  const { engine, port, ca } = server
  const denied = engine === 'postgres' ? /PAM authentication failed for user "/ : /Access denied for user '/
  const made: IamDbAuth<'postgres' | 'mysql'>[] = []
  let logger: RecordingLogger

  beforeEach(() => {
    logger = new RecordingLogger()
    setServerClock(0)
  })
  afterEach(async () => {
    vi.useRealTimers()
    vi.unstubAllEnvs()
    await Promise.all(made.splice(0).map((database) => database.end()))
  })

  function make(
    options: Partial<IamDbAuthOptions<'postgres' | 'mysql', 'db'>> = {},
  ): IamDbAuth<'postgres' | 'mysql'> {
    const database = iamDbAuth<'postgres' | 'mysql'>({
      engine,
      endpoint,
      host: '127.0.0.1',
      port,
      ca,
      username: 'app',
      database: 'shop',
      logger,
      ...options,
    })
    made.push(database)
    return database
  }
  const one = async ({ db }: { readonly db: AnyPool }): Promise<number> =>
    Number(await valueOf(db, 'select 1 as value'))

  it('database C3.21: the server lets in who has a token, MariaDB by its plugin', async () => {
    expect(await work(make(), one)).toBe(1)
    const me = await work(make(), ({ db }) => valueOf(db, 'select current_user as value'))
    expect(me).toMatch(/^app(@%)?$/)
  })

  it('talks through TLS 1.2 or later', async () => {
    const version = await work(make(), ({ db }) =>
      engine === 'postgres'
        ? valueOf(db, 'select version as value from pg_stat_ssl where pid = pg_backend_pid()')
        : valueOf(
            db,
            "select variable_value as value from information_schema.session_status where variable_name = 'Ssl_version'",
          ),
    )
    expect(version).toMatch(/^TLSv1\.[23]$/)
  })

  it('refuses a token that is too old, or not yet good', async () => {
    setServerClock(16 * 60)
    expect((await errorOf(work(make(), one))).message).toMatch(denied)
    setServerClock(-16 * 60)
    expect((await errorOf(work(make(), one))).message).toMatch(denied)
    setServerClock(14 * 60)
    expect(await work(make(), one)).toBe(1)
  })

  it('refuses a token of somebody else', async () => {
    const token = await work(make(), ({ connectionDetails: { password } }) => password())
    expect(await login(server, 'app', token)).toBeUndefined()
    expect((await login(server, 'other', token))?.message).toMatch(denied)
    expect(
      (await login(server, 'app', `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`))?.message,
    ).toMatch(denied)
    expect((await login(server, 'app', token.replace('DBUser=app', 'DBUser=other')))?.message).toMatch(denied)
  })

  it('refuses a token for another region, port or host, and of other keys', async () => {
    expect((await errorOf(work(make({ region: 'eu-west-1' }), one))).message).toMatch(denied)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'other')
    expect((await errorOf(work(make(), one))).message).toMatch(denied)
    vi.unstubAllEnvs()
    // Signed for what the option says; where it goes is another thing.
    const elsewhere = make({ endpoint: 'other.c1.eu-central-1.rds.amazonaws.com', insecure: true })
    expect((await errorOf(work(elsewhere, one))).message).toMatch(denied)
    expect(await work(make(), one)).toBe(1)
  })

  it('is not sent anything where its certificate names another host, or nobody vouches for it', async () => {
    const other = make({ endpoint: 'other.c1.eu-central-1.rds.amazonaws.com' })
    expect((await errorOf(work(other, one))).message).toMatch(/does not match certificate's altnames/)
    vi.stubEnv('ssl_ca_bundle_filename', undefined)
    const { ca: _, ...rest } = { ca, insecure: false }
    const unknown = iamDbAuth<'postgres' | 'mysql'>({
      engine,
      endpoint,
      host: '127.0.0.1',
      port,
      username: 'app',
      database: 'shop',
      ...rest,
    })
    made.push(unknown)
    expect((await errorOf(work(unknown, one))).message).toMatch(/self[- ]signed/i)
  })

  it('lets nobody in without TLS, though the token be good', async () => {
    const token = await work(make(), ({ connectionDetails: { password } }) => password())
    expect((await login(server, 'app', token, false))?.message).toMatch(
      engine === 'postgres' ? /no encryption|pg_hba\.conf rejects/ : denied,
    )
  })

  it('goes on after 16 minutes: connections that are open as they are, new ones with new tokens', async () => {
    const database = make({ max: 2 })
    await work(database, async ({ db }) => {
      const first = await connectionOf(db)
      vi.useFakeTimers({ toFake: ['Date'] })
      vi.setSystemTime(Date.now() + 16 * minutes)
      setServerClock(16 * 60)
      const second = await connectionOf(db)
      expect(
        [await valueOf(first, 'select 1 as value'), await valueOf(second, 'select 2 as value')].map(Number),
      ).toEqual([1, 2])
      first.release()
      second.release()
    })
  })

  it('serves two hundred invocations at once over two connections', async () => {
    const database = make({ max: 2 })
    const ids = await Promise.all(
      Array.from({ length: 200 }, () =>
        work(database, ({ db }) =>
          valueOf(db, `select ${engine === 'postgres' ? 'pg_backend_pid()' : 'connection_id()'} as value`),
        ),
      ),
    )
    expect(ids).toHaveLength(200)
    expect(new Set(ids).size).toBe(2)
  })

  it('may be restarted under load: what was on its way fails, what comes then works', async () => {
    const database = make({ max: 4 })
    await work(database, one)
    const { promise: isRestarting, resolve: begin } = Promise.withResolvers<undefined>()
    const deadline = Date.now() + 20_000
    async function load(): Promise<number> {
      let errors = 0
      for (let good = 0; good < 50 && Date.now() < deadline;) {
        try {
          await work(database, one)
          good++
          if (good === 20 && errors === 0) begin(undefined)
          if (good === 49 && errors === 0) await isOver
        } catch (error) {
          expect(String(error)).toMatch(
            /ECONN|terminat|closed|lost|shutting down|starting up|EPIPE|killed|Server shutdown/i,
          )
          errors++
          good = Math.min(good, 20)
        }
      }
      return errors
    }
    let isDone: (value: undefined) => void = () => undefined
    const isOver = new Promise<undefined>((resolve) => (isDone = resolve))
    const loads = Array.from({ length: 8 }, load)
    await isRestarting
    restart(server)
    isDone(undefined)
    const errors = await Promise.all(loads)
    expect(errors.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
    expect(await Promise.all(Array.from({ length: 20 }, () => work(database, one)))).toEqual(
      Array(20).fill(1),
    )
    expect(Date.now()).toBeLessThan(deadline)
  })
})

/** The value of a query's only column and row. */
async function valueOf(db: AnyPool, query: string): Promise<unknown> {
  const result = (await db.query(query)) as { rows?: { value: unknown }[]; 0: { value: unknown }[] }
  return (result.rows ?? result[0])[0]?.value
}

async function connectionOf(db: AnyPool): Promise<AnyPool & { release(): void }> {
  const pool = db as unknown as Partial<Record<'connect' | 'getConnection', () => Promise<never>>>
  return (pool.getConnection ?? pool.connect)!.call(pool)
}

/** The error of a login with a password as it stands, past the library. */
async function login(
  { engine, port }: DatabaseServer,
  user: string,
  password: string,
  hasTls = true,
): Promise<Error | undefined> {
  const ssl = hasTls ? { rejectUnauthorized: false } : undefined
  try {
    if (engine === 'postgres') {
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user,
        password,
        database: 'shop',
        ssl: ssl ?? false,
      })
      await client.connect()
      await client.end()
    } else {
      const options = {
        host: '127.0.0.1',
        port,
        user,
        password,
        database: 'shop',
        enableCleartextPlugin: true,
      }
      await (await createConnection({ ...options, ...(ssl && { ssl }) })).end()
    }
    return undefined
  } catch (error) {
    return error as Error
  }
}
