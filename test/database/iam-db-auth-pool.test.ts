// The catalogue of IAM database authentication (C3): the pool, and what it survives.
import { Signer } from '@aws-sdk/rds-signer'
import timers from 'node:timers'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { retriedWhenBusy } from '../../src/middleware/database/busy-retry.ts'
import { noCertificates } from '../support/certificates.ts'
import {
  type AnyPool,
  cutOff,
  endpoint,
  errorOf,
  socketOf,
  tokensOf,
  useIamDatabases,
  work,
} from '../support/iam-databases.ts'
import { nativeHash } from '../support/fake-mysql.ts'
import { Gate } from '../support/secret-stores.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe.skipIf(noCertificates() !== undefined)('the pool of iamDbAuth()', () => {
  const { databases, logger, make } = useIamDatabases()

  describe.each(databases)('$engine', (tested) => {
    const { engine, server, connection, busy } = tested
    const select = ({ db }: { readonly db: AnyPool }) => db.query('select 1')

    it('database C3.12: is one for a hundred invocations, with a token per connection and none per query', async () => {
      const signed = vi.spyOn(Signer.prototype, 'getAuthToken')
      const database = make(tested)
      const pools = new Set<AnyPool>()
      const invocations = Array.from({ length: 100 }, () =>
        work(database, async ({ db }) => {
          pools.add(db)
          await db.query('select 1')
        }),
      )
      await Promise.all(invocations)
      expect(pools.size).toBe(1)
      expect(server.queries).toHaveLength(100)
      expect([server.logins.length, server.connections, signed.mock.calls.length]).toEqual([2, 2, 2])
      for (let index = 0; index < 5; index++) await work(database, select)
      expect([server.logins.length, signed.mock.calls.length]).toEqual([2, 2])
    })

    it('database C3.12: is the same object in every invocation, and set without waiting once it is there', async () => {
      const database = make(tested)
      await work(database, select)
      const request = { context: {} as Record<string, unknown> }
      // Not for the database: the first hook of an invocation opens its scope.
      await database.before?.(request as never)
      delete request.context['db']
      expect(database.before?.(request as never)).toBeUndefined()
      await work(database, ({ db }) => {
        expect(request.context['db']).toBe(db)
      })
    })

    it('database C3.13: comes again after a random time while RDS is busy', async () => {
      vi.spyOn(Math, 'random').mockReturnValue(0)
      let refusals = 0
      server.onLogin = () => (refusals++ < 3 ? busy : undefined)
      await work(make(tested, { max: 1 }), select)
      expect(server.logins).toHaveLength(4)
      expect(tokensOf(server).every(({ isGenuine }) => isGenuine)).toBe(true)
      expect(server.queries).toEqual(['select 1'])
    })

    it('database C3.13: comes again for a connection of one’s own, too', async () => {
      vi.spyOn(Math, 'random').mockReturnValue(0)
      let refusals = 0
      server.onLogin = () => (refusals++ < 1 ? busy : undefined)
      await work(make(tested), async ({ db }) => {
        const client = await connection(db)
        await client.query('select 1')
        client.release()
      })
      expect(server.logins).toHaveLength(2)
    })

    it('database C3.13: gives up after five times, and at once where something else is wrong', async () => {
      vi.spyOn(Math, 'random').mockReturnValue(0)
      server.onLogin = () => busy
      const database = make(tested)
      expect((await errorOf(work(database, select))).message).toMatch(/too many competing requests/)
      expect(server.logins).toHaveLength(5)
      server.onLogin = () => ({ ...busy, message: 'PAM authentication failed for user "app"' })
      expect((await errorOf(work(database, select))).message).toMatch(/PAM authentication failed/)
      expect(server.logins).toHaveLength(6)
    })

    it('database C3.14: tells why there was no token, and works as soon as there is one', async () => {
      const cause = Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      })
      vi.spyOn(Signer.prototype, 'getAuthToken').mockRejectedValueOnce(cause)
      const database = make(tested, { max: 1 })
      const error = await errorOf(work(database, select))
      expect(error).toBe(cause)
      expect(server.logins).toEqual([])
      await work(database, select)
      expect(server.logins).toHaveLength(1)
    })

    it('database C3.14: waiting queries are not forgotten when the first connection fails', async () => {
      vi.spyOn(Signer.prototype, 'getAuthToken').mockRejectedValueOnce(new Error('no credentials'))
      const outcomes = await work(make(tested, { max: 1 }), ({ db }) =>
        Promise.allSettled(Array.from({ length: 5 }, () => db.query('select 1'))),
      )
      expect(outcomes.map(({ status }) => status).sort()).toEqual([
        ...Array<string>(4).fill('fulfilled'),
        'rejected',
      ])
    })

    it('database C3.16: survives that idle connections are cut off, and makes new ones', async () => {
      const database = make(tested, { max: 1 })
      await work(database, async ({ db }) => {
        const client = await connection(db)
        client.release()
        await cutOff(tested, socketOf(client))
      })
      await work(database, select)
      expect(server.logins).toHaveLength(2)
      if (engine === 'postgres')
        expect(logger.warnings).toMatchObject([
          { message: expect.stringMatching(/connection to the database ended/) },
        ])
    })

    it('database C3.16: a query that is cut off fails, and the next one works', async () => {
      const database = make(tested, { max: 1 })
      await work(database, async ({ db }) => {
        const client = await connection(db)
        const socket = socketOf(client)
        const query = errorOf(client.query('select 1'))
        await cutOff(tested, socket)
        expect((await query).message).toMatch(/ECONNRESET|terminated|closed|lost/i)
        client.release()
      })
      await work(database, select)
      expect(server.logins).toHaveLength(2)
    })

    it.each<[string, () => void]>([
      [
        'token',
        () => {
          vi.spyOn(Signer.prototype, 'getAuthToken').mockReturnValue(new Promise(() => undefined))
        },
      ],
      [
        'server',
        () => {
          server.onLogin = () => new Promise(() => undefined)
        },
      ],
    ])('database C3.17: a slow %s is waited for ten seconds and no longer', async (_, slow) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      // mysql2 takes them from the module.
      vi.spyOn(timers, 'setTimeout').mockImplementation(globalThis.setTimeout)
      vi.spyOn(timers, 'clearTimeout').mockImplementation(globalThis.clearTimeout)
      slow()
      const begun = new Gate()
      const { secured } = server
      vi.spyOn(server, 'secured').mockImplementation(async (socket) => {
        void begun.wait()
        return secured.call(server, socket)
      })
      const error = errorOf(work(make(tested), select))
      await begun.arrivals(1)
      let isOver = false
      void error.then(() => (isOver = true))
      await vi.advanceTimersByTimeAsync(9900)
      expect(isOver).toBe(false)
      await vi.advanceTimersByTimeAsync(200)
      expect((await error).message).toMatch(/timeout|ETIMEDOUT/i)
    })

    it('database C3.18: shows no token, nor what opens the next one, to who prints it', async () => {
      const database = make(tested)
      await work(database, async (context) => {
        await select(context)
        const shown = inspect([context.db, context.connectionDetails, database], { depth: Infinity })
        expect(shown).not.toContain('X-Amz-')
        expect(shown).toContain(endpoint)
        expect(JSON.stringify(context.connectionDetails)).not.toContain('X-Amz-')
      })
    })

    it('database C3.18: shows no password either, and asks for it anew for each connection', async () => {
      const database = make(tested, { auth: 'password' })
      server.asksForToken = engine === 'postgres'
      vi.stubEnv('db_password', 'hunter2-MARKER')
      await work(database, async ({ db, connectionDetails }) => {
        const first = await connection(db)
        expect(inspect([db, connectionDetails, database], { depth: Infinity })).not.toContain('MARKER')
        vi.stubEnv('db_password', 'rotated-MARKER')
        const second = await connection(db)
        first.release()
        second.release()
        expect(inspect(db, { depth: Infinity })).not.toContain('MARKER')
      })
      expect(server.logins.map(({ token }) => token)).toEqual(
        ['hunter2-MARKER', 'rotated-MARKER'].map(engine === 'postgres' ? String : nativeHash),
      )
    })
  })

  it('database C3.13: waits up to twice as long each time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const waits: unknown[] = []
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((
      run: (...args: unknown[]) => void,
      ms: number,
      ...args: unknown[]
    ) => {
      waits.push(ms)
      run(...args)
    }) as never)
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    retriedWhenBusy((done) => done(new Error('too many competing requests')))(() => undefined)
    expect(waits).toEqual([50, 100, 200, 400])
  })
})
