// Databases that are killed, frozen and rotated, and invocations that end too early: X7, X8, X10, X11, X12, X21.
import middy from '@middy/core'
import { ConnectionTimeoutError, StatementTimeoutError } from 'clearskies-middy/errors'
import { environment } from 'clearskies-middy/middleware/environment'
import { type IamDbAuth, type IamDbAuthOptions, iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { eachRecord, sqs } from 'clearskies-middy'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  ask,
  databases,
  endpoint,
  freeze,
  killWhileFrozen,
  sessions,
  setServerClock,
  untilSessions,
} from '../../support/database-servers.ts'
import { type AnyPool, errorOf, work } from '../../support/iam-databases.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { putVersion, useSecretStores } from '../../support/secret-stores.ts'

type Database = IamDbAuth<'postgres' | 'mysql'>
type Options = Partial<IamDbAuthOptions<'postgres' | 'mysql', 'db'>>
type Connection = AnyPool & { release(): void }

describe.each(databases)('$title', (server) => {
  const { engine, port, ca } = server
  const { aws, stores } = useSecretStores()
  const made: Database[] = []
  beforeEach(() => {
    setServerClock(0)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await Promise.all(made.splice(0).map((database) => database.end()))
    await untilSessions(server, ({ size }) => size === 0)
  })

  const sleep = (seconds: number) =>
    engine === 'postgres' ? `select pg_sleep(${seconds})` : `select sleep(${seconds})`
  const myId = engine === 'postgres' ? 'select pg_backend_pid() as value' : 'select connection_id() as value'

  function make(options: Options = {}): Database {
    const database = iamDbAuth<'postgres' | 'mysql'>({
      engine,
      endpoint,
      host: '127.0.0.1',
      port,
      ca,
      username: 'app',
      database: 'shop',
      logger: new RecordingLogger(),
      ...options,
    })
    made.push(database)
    return database
  }

  /** One invocation that has so many milliseconds. */
  async function invocation<T>(
    database: Database,
    timeout: number,
    run: (db: AnyPool) => Promise<T>,
  ): Promise<T> {
    let result: T | undefined
    const handler = middy()
      .use(database)
      .handler(async (_: unknown, { db }) => {
        result = await run(db)
      })
    await invoke(handler, {}, lambdaContext({ timeout }))
    return result as T
  }

  async function valueOf(db: AnyPool, sql: string): Promise<number> {
    const result = (await db.query(sql)) as { rows?: { value: unknown }[]; 0: { value: unknown }[] }
    return Number((result.rows ?? result[0])[0]?.value)
  }

  function connect(db: AnyPool): Promise<Connection> {
    const pool = db as unknown as Partial<Record<'connect' | 'getConnection', () => Promise<Connection>>>
    return (pool.getConnection ?? pool.connect)!.call(pool)
  }

  it('X7: two invocations whose statements take too long leave a pool that works, and no statement behind', async () => {
    const database = make()
    for (let round = 0; round < 2; round++) {
      const error = await errorOf(invocation(database, 1500, (db) => db.query(sleep(20))))
      expect(error).toBeInstanceOf(StatementTimeoutError)
    }
    for (let round = 0; round < 3; round++)
      expect(await invocation(database, 10_000, (db) => valueOf(db, 'select 42 as value'))).toBe(42)
    await untilSessions(server, (all) => [...all.values()].every((query) => !query?.includes('sleep')))
  })

  it('X7: a statement that nobody waits for ends with its invocation', async () => {
    const database = make({ max: 1 })
    let outcome: Promise<Error> | undefined
    await invocation(database, 20_000, async (db) => {
      const before = await valueOf(db, myId)
      outcome = errorOf(db.query(sleep(20)))
      await untilSessions(server, (all) => all.get(before)?.includes('sleep') === true)
    })
    expect(await outcome).toBeInstanceOf(StatementTimeoutError)
    await untilSessions(server, (all) => [...all.values()].every((query) => !query?.includes('sleep')))
    expect(await invocation(database, 10_000, (db) => valueOf(db, 'select 42 as value'))).toBe(42)
  })

  it('X7: a transaction that is never given back is rolled back, and a later release() harms nobody', async () => {
    await ask(server, 'drop table if exists held')
    await ask(server, 'create table held (id int primary key)')
    if (engine === 'postgres') await ask(server, 'grant all on held to app')
    const database = make({ max: 1 })
    let connection: Connection | undefined
    const failing = invocation(database, 20_000, async (db) => {
      connection = await connect(db)
      await connection.query(engine === 'postgres' ? 'begin' : 'start transaction')
      await connection.query('insert into held values (1)')
      throw new Error('the handler failed')
    })
    expect((await errorOf(failing)).message).toBe('the handler failed')
    connection?.release()
    expect(
      await invocation(database, 10_000, (db) => valueOf(db, 'select count(*) as value from held')),
    ).toBe(0)
    await invocation(database, 10_000, (db) => db.query('insert into held values (1)'))
    await ask(server, 'drop table held')
  })

  it('X7: what a neighbour has borrowed is untouched, and what was given back is used again', async () => {
    const database = make({ max: 2 })
    const isBorrowed = Promise.withResolvers<number>()
    const neighbour = Promise.withResolvers<undefined>()
    const other = invocation(database, 20_000, async (db) => {
      const connection = await connect(db)
      isBorrowed.resolve(await valueOf(connection, myId))
      await neighbour.promise
      const id = await valueOf(connection, myId)
      connection.release()
      return id
    })
    const borrowed = await isBorrowed.promise
    await errorOf(invocation(database, 1000, (db) => db.query(sleep(20))))
    neighbour.resolve(undefined)
    expect(await other).toBe(borrowed)
    expect(await invocation(database, 10_000, (db) => valueOf(db, myId))).toBe(borrowed)
  })

  it('X7: statementTimeout ends a statement alone, of the pool and of a connection of one’s own', async () => {
    const database = make({ max: 1, statementTimeout: 1000 })
    await invocation(database, 20_000, async (db) => {
      const error = await errorOf(db.query(sleep(20)))
      expect(error).toBeInstanceOf(StatementTimeoutError)
      expect(error).toMatchObject({ milliseconds: 1000 })
      const connection = await connect(db)
      expect(await errorOf(connection.query(sleep(20)))).toBeInstanceOf(StatementTimeoutError)
      connection.release()
      // Many short ones may take longer together.
      for (let round = 0; round < 4; round++) await db.query(sleep(0.3))
    })
    await untilSessions(server, (all) => all.size <= 1)
  })

  it('X7: a server that is frozen costs an invocation its own time, and the next one works', async () => {
    const database = make()
    await invocation(database, 20_000, (db) => valueOf(db, 'select 1 as value'))
    const thaw = freeze(server)
    try {
      expect(await errorOf(invocation(database, 1000, (db) => db.query('select 1')))).toBeInstanceOf(
        StatementTimeoutError,
      )
      // A new connection does not come about: the driver's error, in time.
      expect((await errorOf(invocation(database, 1000, (db) => db.query('select 1')))).message).toMatch(
        /timeout|ETIMEDOUT/i,
      )
    } finally {
      thaw()
    }
    expect(await invocation(database, 10_000, (db) => valueOf(db, 'select 42 as value'))).toBe(42)
  })

  it('X8: who waits for a connection waits no longer than it may, and is told how many are in use', async () => {
    const database = make({ max: 2 })
    const all = await invocation(database, 2000, async (db) => {
      const borrowed = await Promise.all([connect(db), connect(db)])
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => errorOf(db.query('select 1'))))
      for (const connection of borrowed) connection.release()
      return outcomes
    })
    for (const error of all) {
      expect(error).toBeInstanceOf(ConnectionTimeoutError)
      expect(error).toMatchObject({ inUse: 2, message: expect.stringMatching(/all 2 are in use/) })
    }
    expect(await invocation(database, 10_000, (db) => valueOf(db, 'select 42 as value'))).toBe(42)
  })

  it('X8: records that each hold a connection and ask for one more fail with that error, and the pool lives on', async () => {
    const database = make({ max: 2 })
    const errors: unknown[] = []
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .use(database)
      .handler(
        eachRecord(
          async (_request, { db }: { db: AnyPool }) => {
            const connection = await connect(db)
            try {
              await connection.query('select 1')
              await db.query('select 1')
            } finally {
              connection.release()
            }
          },
          { onFailure: (error: unknown) => void errors.push(error) },
        ) as never,
      )
    const event = sqsEvent(Array.from({ length: 10 }, (_, index) => ({ body: String(index) })))
    await invoke(handler, event, lambdaContext({ timeout: 3000 }))
    expect(errors.length).toBeGreaterThan(0)
    expect(errors[0]).toBeInstanceOf(ConnectionTimeoutError)
    expect(await invocation(database, 10_000, (db) => valueOf(db, 'select 42 as value'))).toBe(42)
  })

  it('X10: a password that is rotated is followed by the next connection, AWSPENDING last', async () => {
    const setPassword = (password: string) =>
      ask(
        server,
        engine === 'postgres'
          ? `alter role rotated password '${password}'`
          : `alter user rotated@'%' identified by '${password}' require ssl`,
      )
    const end = () =>
      engine === 'postgres'
        ? ask(server, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'rotated'")
        : ask(server, 'kill user rotated')
    const client = stores[1]!.client()
    vi.stubEnv('db_password', 'secret://shop/db#password')
    const put = (password: string, stage?: string) =>
      putVersion(aws.server, 'shop/db', { string: JSON.stringify({ password }) }, stage)
    const database = make({ auth: 'password', username: 'rotated', max: 1 })
    const handler = middy()
      .use(secretsManager({ client, logger: new RecordingLogger() }))
      .use(environment({ file: false }))
      .use(database)
      .handler(async (_: unknown, { db }) => valueOf(db, 'select 42 as value'))
    await setPassword('first')
    put('first')
    expect(await invoke(handler, {})).toBe(42)

    await setPassword('second')
    put('second')
    await end()
    await untilSessions(server, ({ size }) => size === 0, 'rotated')
    expect(await invoke(handler, {})).toBe(42)

    // In the midst of a rotation: the server has the new one, and the label has not moved.
    await setPassword('third')
    put('third', 'AWSPENDING')
    await end()
    await untilSessions(server, ({ size }) => size === 0, 'rotated')
    expect(await invoke(handler, {})).toBe(42)

    await setPassword('nobody knows')
    await end()
    await untilSessions(server, ({ size }) => size === 0, 'rotated')
    const error = await errorOf(invoke(handler, {}))
    expect(error.message).toMatch(/password authentication failed|Access denied/)
    await database.end()
    await untilSessions(server, ({ size }) => size === 0, 'rotated')
  })

  it('X11: the first queries after a freeze work, though the server has ended every connection meanwhile', async () => {
    const database = make({ max: 4 })
    for (let round = 0; round < 3; round++) {
      await invocation(database, 20_000, async (db) => {
        const borrowed = await Promise.all(Array.from({ length: 4 }, () => connect(db)))
        for (const connection of borrowed) connection.release()
      })
      killWhileFrozen(server)
      const values = await Promise.all(
        Array.from({ length: 4 }, (_, index) =>
          invocation(database, 20_000, (db) => valueOf(db, `select ${index} as value`)),
        ),
      )
      expect(values).toEqual([0, 1, 2, 3])
    }
  })

  it('X12: an idle connection is closed after its time', async () => {
    const database = make({ pool: engine === 'postgres' ? { idleTimeoutMillis: 50 } : { idleTimeout: 50 } })
    await invocation(database, 20_000, (db) => valueOf(db, 'select 1 as value'))
    await untilSessions(server, ({ size }) => size === 0)
    expect(await invocation(database, 20_000, (db) => valueOf(db, 'select 42 as value'))).toBe(42)
  })

  it('X21: the options of the driver reach it', async () => {
    const database = make({
      pool:
        engine === 'postgres'
          ? { application_name: 'my shop', statement_timeout: 200 }
          : { dateStrings: true },
    })
    const seen = await work(database, async ({ db }) => {
      if (engine === 'mysql') return db.query("select cast('2026-03-01' as date) as value")
      expect((await errorOf(db.query(sleep(20)))).code).toBe('57014')
      return db.query('show application_name')
    })
    expect(JSON.stringify(seen)).toMatch(engine === 'postgres' ? /my shop/ : /"2026-03-01"/)
  })

  it('X21: a server that does not answer gives the driver’s error, before the invocation’s time is up', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const database = make({ port: (silent.address() as AddressInfo).port })
    const error = await errorOf(invocation(database, 700, (db) => db.query('select 1')))
    expect(error.message).toMatch(/timeout|ETIMEDOUT/i)
    silent.close()
    for (const socket of sockets) socket.destroy()
    expect(await sessions(server)).toEqual(new Map())
  })
})
