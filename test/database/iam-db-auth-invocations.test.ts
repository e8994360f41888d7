// Invocations that follow each other, run beside each other, and end too early, on one pool: X7, X8, X11, X12.
import middy from '@middy/core'
import { ConnectionTimeoutError, StatementTimeoutError } from 'clearskies-middy/errors'
import type { IamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { invoke, lambdaContext } from 'clearskies-middy/testing'
import { once } from 'node:events'
import middy6 from 'middy-core-6'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { noCertificates } from '../support/certificates.ts'
import { type AnyPool, cutOff, errorOf, socketOf, useIamDatabases, work } from '../support/iam-databases.ts'
import { startScript } from '../support/run-script.ts'

type Database = IamDbAuth<'postgres' | 'mysql'>

/** One invocation of a chain that has so many milliseconds. */
async function invocation<T>(
  database: Database,
  timeout: number,
  run: (db: AnyPool) => T | Promise<T>,
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

const never = new Promise<never>(() => undefined)

describe.skipIf(noCertificates() !== undefined)('the pool of iamDbAuth()', () => {
  const { databases, certificate, make } = useIamDatabases()

  describe.each(databases)('$engine', (tested) => {
    const { engine, server, connection } = tested
    beforeEach(() => {
      server.onQuery = (sql) => (sql === 'hang' ? never : undefined)
    })
    const cancelled = () =>
      engine === 'postgres'
        ? server.cancellations
        : server.queries.filter((sql) => sql.startsWith('KILL ')).length
    const select = (db: AnyPool) => db.query('select 1')
    /** Waits until so many statements hang. */
    async function hanging(count: number): Promise<void> {
      while (server.queries.filter((sql) => sql === 'hang').length < count) await new Promise(setImmediate)
    }

    it('X7: invocations whose statements hang do not poison it, however many', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const database = make(tested)
      for (let round = 1; round <= 4; round++) {
        const error = errorOf(invocation(database, 30_000, (db) => db.query('hang')))
        await hanging(round)
        // A tenth of the time, and at most a second, is left for the answer.
        vi.advanceTimersByTime(29_000)
        expect(await error).toBeInstanceOf(StatementTimeoutError)
      }
      await invocation(database, 30_000, select)
      expect(cancelled()).toBe(4)
      expect(server.queries.at(-1)).toBe('select 1')
    })

    it.each<[string, (run: (db: AnyPool) => Promise<unknown>, database: Database) => Promise<unknown>]>([
      [
        'a handler that returns',
        (run, database) => {
          const handler = middy()
            .use(database)
            .handler(async (_: unknown, { db }) => {
              await run(db)
            })
          return invoke(handler, {}, lambdaContext())
        },
      ],
      [
        'a handler that throws',
        (run, database) => {
          const handler = middy()
            .use(database)
            .handler(async (_: unknown, { db }) => {
              await run(db)
              throw new Error('the handler failed')
            })
          return errorOf(invoke(handler, {}, lambdaContext()))
        },
      ],
      [
        'a before that answers',
        (run, database) => {
          const handler = middy()
            .use(database)
            .before(async ({ context }) => {
              await run((context as unknown as { db: AnyPool }).db)
              return 'early'
            })
            .handler(async () => 'late')
          return invoke(handler, {}, lambdaContext())
        },
      ],
      [
        'Middy’s early timeout',
        (run, database) => {
          const handler = middy({ timeoutEarlyInMillis: 29_500 })
            .use(database)
            .handler(async (_: unknown, { db }) => {
              await run(db)
              await never
            })
          return errorOf(invoke(handler, {}, lambdaContext()))
        },
      ],
      [
        'Middy 6',
        (run, database) => {
          const chain = middy6().use(database)
          const handler = chain.handler(async (_: unknown, context) => {
            await run((context as unknown as { db: AnyPool }).db)
          })
          return invoke(handler, {}, lambdaContext())
        },
      ],
    ])('X7: %s ends what was borrowed and not given back', async (_, answer) => {
      const database = make(tested, { max: 3 })
      const errors: Promise<Error>[] = []
      let returned: AnyPool | undefined
      await answer(async (db) => {
        const back = await connection(db)
        const kept = await connection(db)
        returned = back
        errors.push(errorOf(kept.query('hang')), errorOf(db.query('hang')))
        await hanging(2)
        back.release()
      }, database)
      expect(await Promise.all(errors)).toEqual([
        expect.any(StatementTimeoutError),
        expect.any(StatementTimeoutError),
      ])
      expect(cancelled()).toBe(2)
      const logins = server.logins.length
      await invocation(database, 3000, async (db) => {
        const again = await connection(db)
        expect(socketOf(again)).toBe(socketOf(returned!))
        again.release()
      })
      expect(server.logins).toHaveLength(logins)
    })

    it('X7: a connection that is kept without a statement is closed, and a late release() harms nobody', async () => {
      const database = make(tested, { max: 1 })
      let kept: (AnyPool & { release(): void }) | undefined
      await invocation(database, 3000, async (db) => {
        kept = await connection(db)
      })
      kept?.release()
      kept?.release()
      await invocation(database, 3000, select)
      expect(server.logins).toHaveLength(2)
      expect(cancelled()).toBe(0)
      expect(await errorOf(kept!.query('select 2'))).toBeInstanceOf(Error)
      expect(server.queries).toEqual(['select 1'])
    })

    it('X7: what neighbours have borrowed is untouched, in twenty interleaved invocations', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const database = make(tested, { max: 20 })
      const goOn = Promise.withResolvers<undefined>()
      const outcomes = Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? invocation(database, 30_000, (db) => db.query('hang'))
          : invocation(database, 300_000, async (db) => {
              const own = await connection(db)
              await own.query('select 1')
              if (index % 4 === 1) await goOn.promise
              for (let round = 0; round < 20; round++) await own.query('select 1')
              own.release()
            }),
      )
      const settled = Promise.allSettled(outcomes)
      await hanging(10)
      vi.advanceTimersByTime(29_000)
      await Promise.allSettled(outcomes.filter((_, index) => index % 2 === 0))
      goOn.resolve(undefined)
      expect((await settled).map(({ status }) => status)).toEqual(
        Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'rejected' : 'fulfilled')),
      )
    })

    it('X7: an invocation that waits for a connection when it ends is not given one later', async () => {
      const database = make(tested, { max: 1 })
      const isBorrowed = Promise.withResolvers<undefined>()
      const goOn = Promise.withResolvers<undefined>()
      const other = invocation(database, 20_000, async (db) => {
        const own = await connection(db)
        isBorrowed.resolve(undefined)
        await goOn.promise
        own.release()
      })
      await isBorrowed.promise
      let waiting: Promise<Error> | undefined
      await invocation(database, 20_000, (db) => {
        waiting = errorOf(db.query('too late'))
      })
      expect(await waiting).toBeInstanceOf(StatementTimeoutError)
      goOn.resolve(undefined)
      await other
      await invocation(database, 3000, select)
      expect(server.queries).toEqual(['select 1'])
    })

    it('X7: statementTimeout counts each statement for itself', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const database = make(tested, { max: 1, statementTimeout: 500 })
      await work(database, async ({ db }) => {
        for (let round = 0; round < 3; round++) {
          await db.query('select 1')
          vi.advanceTimersByTime(499)
        }
        const hanging = errorOf(db.query('hang'))
        while (!server.queries.includes('hang')) await new Promise(setImmediate)
        vi.advanceTimersByTime(499)
        expect(cancelled()).toBe(0)
        vi.advanceTimersByTime(1)
        expect(await hanging).toMatchObject({ name: 'StatementTimeoutError', milliseconds: 500 })
        vi.useRealTimers()
      })
    })

    it('X8: the wait for a connection is bounded, and the error tells how many are in use', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const database = make(tested, { max: 2 })
      await invocation(database, 3000, async (db) => {
        const own = await Promise.all([connection(db), connection(db)])
        const waiting = errorOf(db.query('select 1'))
        vi.advanceTimersByTime(2700)
        const error = await waiting
        expect(error).toBeInstanceOf(ConnectionTimeoutError)
        expect(error).toMatchObject({ inUse: 2, message: expect.stringContaining('all 2 are in use') })
        for (const each of own) each.release()
      })
      await invocation(database, 3000, select)
      expect(server.queries).toEqual(['select 1'])
    })

    it.each([
      [{}, 2],
      [{ AWS_LAMBDA_MAX_CONCURRENCY: '64', AWS_LAMBDA_NODEJS_WORKER_COUNT: '8' }, 8],
      [{ AWS_LAMBDA_MAX_CONCURRENCY: '65', AWS_LAMBDA_NODEJS_WORKER_COUNT: '8' }, 9],
      [{ AWS_LAMBDA_MAX_CONCURRENCY: '8', AWS_LAMBDA_NODEJS_WORKER_COUNT: '8' }, 2],
      [{ AWS_LAMBDA_MAX_CONCURRENCY: 'many', AWS_LAMBDA_NODEJS_WORKER_COUNT: '8' }, 2],
    ])('X8: by default, with %o, it has %i connections', async (variables, max) => {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
      expect(JSON.parse(JSON.stringify(await work(make(tested), ({ db }) => db)))).toMatchObject({ max })
      expect(JSON.parse(JSON.stringify(await work(make(tested, { max: 3 }), ({ db }) => db)))).toMatchObject({
        max: 3,
      })
      const pool = engine === 'postgres' ? { max: 4 } : { connectionLimit: 4 }
      expect(JSON.parse(JSON.stringify(await work(make(tested, { pool }), ({ db }) => db)))).toMatchObject({
        max: 4,
      })
    })

    it('X11: a connection that the server has ended in silence is not used', async () => {
      const database = make(tested, { max: 1 })
      await work(database, ({ db }) => db.query('select 1'))
      await server.endConnections()
      await work(database, ({ db }) => db.query('select 2'))
      expect(server.queries).toEqual(['select 1', 'select 2'])
      expect(server.logins).toHaveLength(2)
    })

    it('X12: a connection that nobody uses is closed after ten minutes, one that is used goes on', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const database = make(tested, { max: 2 })
      await work(database, async ({ db }) => {
        const own = await Promise.all([connection(db), connection(db)])
        for (const each of own) each.release()
      })
      for (let minute = 0; minute < 9; minute++) {
        await work(database, ({ db }) => db.query('select 1'))
        vi.advanceTimersByTime(60_000)
      }
      expect(server.goodbyes).toBe(0)
      vi.advanceTimersByTime(61_000)
      while (server.goodbyes < 1) await new Promise(setImmediate)
      await work(database, ({ db }) => db.query('select 1'))
      expect([server.goodbyes, server.logins.length]).toEqual([1, 2])
    })

    it('X7: one that is cut off in use fails its statement, and ends no process', async () => {
      const database = make(tested, { max: 1 })
      await invocation(database, 3000, async (db) => {
        const own = await connection(db)
        const failed = errorOf(own.query('hang'))
        await cutOff(tested, socketOf(own))
        expect(await failed).toBeInstanceOf(Error)
      })
      await invocation(database, 3000, select)
    })
  })

  it('X8: each thread has a pool of its own, and no signal’s listener', async () => {
    const options = databases.map(({ engine, server: { port } }) => ({
      engine,
      endpoint: 'shop.c1.eu-central-1.rds.amazonaws.com',
      host: '127.0.0.1',
      port,
      username: 'app',
      database: 'shop',
      ca: certificate.certFile,
    }))
    const script = `
      import { once } from 'node:events'
      import { Worker } from 'node:worker_threads'
      const code = \`
        (async () => {
        // Versions of Node do not agree whether this is a module.
        const { default: middy } = await import('@middy/core')
        const { iamDbAuth } = await import('clearskies-middy/middleware/iam-db-auth')
        const { parentPort, workerData } = await import('node:worker_threads')
        for (const options of workerData) {
          const database = iamDbAuth(options)
          const handler = middy().use(database).handler((_, { db }) => db.query('select 1'))
          await Promise.all([handler({}, {}), handler({}, {}), handler({}, {})])
          parentPort.postMessage(process.listenerCount('SIGTERM'))
          await database.end()
        }
        })()\`
      const workers = [1, 2].map(() => new Worker(code, { eval: true, workerData: ${JSON.stringify(options)} }))
      for (const worker of workers) worker.on('message', (count) => console.log('listeners', count))
      console.log('exits', ...await Promise.all(workers.map((worker) => once(worker, 'exit'))))`
    const child = startScript(script, {
      AWS_LAMBDA_FUNCTION_NAME: 'shop',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    await once(child, 'close')
    expect(output).toBe(`${'listeners 0\n'.repeat(4)}exits [ 0 ] [ 0 ]\n`)
    for (const { server } of databases) expect([server.logins.length, server.goodbyes]).toEqual([4, 4])
  })
})
