// What becomes of reads and writes when the invocation's time runs out, and of what is stopped on the way (D2, D12, D55, D56).
import middy from '@middy/core'
import { DeadlineError, PartialBatchError, backends, outcomeOf } from 'clearskies-middy'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke, lambdaContext } from 'clearskies-middy/testing'
import { AsyncResource } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'
import type { DynamoDbFaultProxy } from '../../support/dynamodb-fault-proxy.ts'

const tables = useTables()

const definition = {
  key: ['group', 'id'],
  schema: z.object({ group: z.string(), id: z.number(), kind: z.string(), text: z.string().optional() }),
} as const
const items = (count: number, text = '') =>
  Array.from({ length: count }, (_, id) => ({ group: 'g', id, kind: id % 2 === 0 ? 'even' : 'odd', text }))
const evens = (count: number) => items(count).flatMap(({ id, kind }) => (kind === 'even' ? [id] : []))

type Backend = Awaited<ReturnType<typeof open>>['backend']

/** A table, and a clock that only goes on when it is told to. */
async function open(count: number, text = '') {
  const opened = await tables.openFaulty(definition)
  await opened.calm.batch({ put: items(count, text) })
  vi.useFakeTimers({ toFake: ['Date'] })
  return opened
}

/** Lets the time run out when so many requests were answered. */
function expire(proxy: DynamoDbFaultProxy, after: number): void {
  let answered = 0
  proxy.onAnswer = () => {
    if (++answered === after) vi.setSystemTime(Date.now() + 60_000)
  }
}

/** Lets the time run out while so many-th request is under way, which is then never answered. */
function expireWithin(proxy: DynamoDbFaultProxy, request: number): void {
  const end = new AbortController()
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(end.signal)
  let seen = 0
  proxy.onAnswer = async () => {
    if (++seen < request) return
    vi.setSystemTime(Date.now() + 60_000)
    end.abort(new DOMException('The operation timed out', 'TimeoutError'))
    await new Promise(() => {})
  }
}

/** What is done within an invocation of ten seconds. */
async function within<TResult>(
  backend: Backend,
  run: (things: Backend) => Promise<TResult>,
): Promise<TResult> {
  let result: TResult | undefined
  const handler = middy()
    .use(invocation())
    .use(backends({ things: backend }))
    .handler(async (_, { backends: { things } }) => {
      result = await run(things)
    })
  // Of its own, as on Lambda: the test goes on behind it.
  const invocationScope = new AsyncResource('invocation')
  await invocationScope.runInAsyncScope(() => invoke(handler, {}, lambdaContext({ timeout: 10_000 })))
  return result as TResult
}

const query = (things: Backend) => things.where('group', '=', 'g').where('kind', '=', 'even')
const ids = (found: readonly { id: number }[]) => found.map(({ id }) => id)

describe('a page whose time runs out', () => {
  it.each([
    ['between two requests', expire],
    ['within a request', (proxy: DynamoDbFaultProxy) => expireWithin(proxy, 2)],
  ])('%s is what was read, with a token that loses nothing', async (_, runOut) => {
    const { backend, calm, proxy } = await open(100)
    runOut(proxy, 1)
    const page = await within(backend, (things) => query(things).limit(40).page())
    expect([page.items.length, page.complete]).toEqual([21, false])
    const rest = await query(calm).after(page.next).all()
    expect(ids([...page.items, ...rest])).toEqual(evens(100))
  })

  it('is whole where the time is enough', async () => {
    const { backend } = await open(100)
    const page = await within(backend, (things) => query(things).limit(40).page())
    expect(page.items).toHaveLength(40)
    expect(page).not.toHaveProperty('complete')
  })

  it('before anything was read is an error', async () => {
    const { backend, proxy } = await open(100)
    expireWithin(proxy, 1)
    await expect(within(backend, (things) => query(things).limit(40).page())).rejects.toThrow(DeadlineError)
  })

  it('in a scan of several segments loses none of them', async () => {
    const opened = await tables.openFaulty(definition, { scan: 'allow' })
    await opened.calm.batch({ put: items(200).map((item) => ({ ...item, group: `g${item.id}` })) })
    vi.useFakeTimers({ toFake: ['Date'] })
    expire(opened.proxy, 4)
    const scan = (things: Backend) => things.where('id', '<', 9).segments(4).limit(20)
    const page = await within(opened.backend, (things) => scan(things).page())
    expect(page.complete).toBe(false)
    const rest = await scan(opened.calm).after(page.next).all()
    expect(ids([...page.items, ...rest]).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })
})

// Three pages of a megabyte.
const text = 'x'.repeat(90_000)

describe.each([
  ['between two requests', expire],
  ['within a request', (proxy: DynamoDbFaultProxy) => expireWithin(proxy, 2)],
])('what has to be whole, where the time runs out %s', (_, runOut) => {
  it.each([
    [
      'for await',
      async (things: Backend) => {
        for await (const { id } of things.where('group', '=', 'g')) expect(id).toBeLessThan(30)
      },
    ],
    ['all', (things: Backend) => things.where('group', '=', 'g').all()],
    ['all up to a limit', (things: Backend) => things.where('group', '=', 'g').limit(29).all()],
    ['count', (things: Backend) => things.where('group', '=', 'g').count()],
    [
      'count of what is checked here',
      (things: Backend) => things.where('group', '=', 'g').where('id', '!=', 1).count(),
    ],
    ['exists', (things: Backend) => things.where('group', '=', 'g').where('kind', '=', 'none').exists()],
    ['first', (things: Backend) => things.where('group', '=', 'g').where('kind', '=', 'none').first()],
  ] as [string, (things: Backend) => Promise<unknown>][])('is an error: %s', async (name, run) => {
    const { backend, proxy } = await open(30, text)
    runOut(proxy, 1)
    const error: unknown = await within(backend, run).catch((thrown: unknown) => thrown)
    expect(error, name).toBeInstanceOf(DeadlineError)
    expect(error).toMatchObject({ statusCode: 504, expose: false })
  })

  it('gives the items in hand before', async () => {
    const { backend, proxy } = await open(30, text)
    runOut(proxy, 1)
    const seen: number[] = []
    const reading = within(backend, async (things) => {
      for await (const { id } of things.where('group', '=', 'g')) seen.push(id)
    })
    await expect(reading).rejects.toThrow(DeadlineError)
    expect(seen).toEqual(items(seen.length).map(({ id }) => id))
    expect(seen.length).toBeGreaterThan(5)
  })
})

describe('single reads and writes', () => {
  const key = { group: 'g', id: 1 }
  const runs: [string, (things: Backend) => Promise<unknown>][] = [
    ['find', (things) => things.find(key)],
    ['create', (things) => things.create({ ...key, id: 99, kind: 'new' })],
    ['update', (things) => things.update(key, { kind: 'new' })],
    ['delete', (things) => things.delete(key)],
  ]

  it.each(runs)('%s is not even sent when the time is up', async (_, run) => {
    const { backend, proxy } = await open(3)
    const late = within(backend, async (things) => {
      vi.setSystemTime(Date.now() + 60_000)
      await run(things)
    })
    await expect(late).rejects.toThrow(/The time was up before table-\d+ was asked/)
    expect(proxy.requests).toEqual([])
  })

  it.each(runs)('%s that is under way ends with the time', async (_, run) => {
    const { backend, proxy } = await open(3)
    expireWithin(proxy, 1)
    await expect(within(backend, run)).rejects.toThrow(DeadlineError)
    expect(proxy.requests).toHaveLength(1)
  })

  it('outside of an invocation there is no end', async () => {
    const { backend, proxy } = await open(30, text)
    expire(proxy, 1)
    expect(await backend.where('group', '=', 'g').all()).toHaveLength(30)
  })
})

describe('batches', () => {
  const keys = items(60).map(({ group, id }) => ({ group, id }))

  it('whose rest has no time are partial', async () => {
    const { backend, proxy } = await open(60)
    proxy.queue('BatchGetItem', 'unprocessed')
    expire(proxy, 1)
    const error: unknown = await within(backend, (things) => things.findMany(keys)).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(PartialBatchError)
    expect((error as PartialBatchError).done).toEqual(keys.slice(0, 30).map(({ id }) => id))
    expect((error as PartialBatchError).unprocessed).toEqual(keys.slice(30).map(({ id }) => id))
    expect(proxy.requests).toHaveLength(1)
  })

  it('that are under way when the time ends are partial', async () => {
    const { backend, proxy } = await open(0)
    expireWithin(proxy, 2)
    const error: unknown = await within(backend, (things) => things.batch({ put: items(50) })).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(PartialBatchError)
    expect(error).toMatchObject({ statusCode: 503, cause: { name: 'DeadlineError' } })
    expect((error as PartialBatchError).unprocessed.length).toBeGreaterThanOrEqual(25)
  })
})

it('M1: of creates that are under way when the time ends, it is told that nobody knows, and of the rest that none is done', async () => {
  const { backend, calm, proxy } = await open(0)
  const list = items(40)
  expireWithin(proxy, 15)
  const error: unknown = await within(backend, (things) => things.createMany(list)).catch(
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(DeadlineError)
  const { done = [], failed = [], unknown = [] } = outcomeOf(error) ?? {}
  const sent = proxy.actions.filter((action) => action === 'PutItem')
  vi.useRealTimers()
  const stored = await calm.findMany(list)
  expect(done).toHaveLength(14)
  expect(unknown.length).toBeGreaterThan(0)
  expect(done.length + unknown.length).toBeGreaterThanOrEqual(sent.length)
  expect(failed.length).toBeGreaterThan(0)
  expect(done.length + unknown.length + failed.length).toBe(40)
  expect(done.map((index) => stored[index])).not.toContain(undefined)
  expect(failed.filter((index) => stored[index] !== undefined)).toEqual([])
  expect((error as DeadlineError).ambiguous).toBe(unknown.includes(Math.min(...unknown, ...failed)))
})

it('a signal ends a read, also within a request, with its own reason', async () => {
  const { backend, proxy } = await open(100)
  const stop = new AbortController()
  proxy.onAnswer = async () => {
    stop.abort(new Error('Enough'))
    await new Promise(() => {})
  }
  await expect(query(backend).page({ signal: stop.signal })).rejects.toThrow('Enough')
  await expect(query(backend).count({ signal: stop.signal })).rejects.toThrow('Enough')
  await expect(query(backend).first({ signal: stop.signal })).rejects.toThrow('Enough')
  expect(proxy.requests).toHaveLength(1)
})

it('what is left early is not read on', async () => {
  const { backend, proxy } = await open(30, text)
  await within(backend, async (things) => {
    for await (const { id } of things.where('group', '=', 'g')) if (id === 3) break
  })
  expect(proxy.requests).toHaveLength(1)
})
