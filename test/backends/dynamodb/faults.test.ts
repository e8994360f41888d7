// Faults of the network and the service, one after the other (D54 among them) and by seeds.
import { ThrottledError } from 'clearskies-middy'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'
import type { Fault } from '../../support/dynamodb-fault-proxy.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const tables = useTables()

const definition = {
  key: ['group', 'id'],
  schema: z.object({
    group: z.string(),
    id: z.number(),
    text: z.string().nullish(),
    count: z.number().optional(),
    when: z.date().optional(),
    rev: z.number().optional(),
  }),
} as const
const key = { group: 'g', id: 1 }
// Somewhat more than a megabyte, which is two pages.
const items = Array.from({ length: 12 }, (_, id) => ({ group: 'g', id, text: 'x'.repeat(100_000) }))

const network: readonly Fault[] = ['throttle', 'internal', 'reset-before', 'reset-after']

const errors: Readonly<Partial<Record<Fault, string>>> = {
  throttle: 'ThrottledError',
  internal: 'UnavailableError',
  'reset-before': 'UnavailableError',
  'reset-after': 'UnavailableError',
}

interface Operation {
  run(backend: Backend): Promise<unknown>
  readonly expected: unknown
  /** How many requests are answered before the fault. */
  readonly calm?: number
}

/** What is tried: each gives what it has come to, and is the same whether or not it is tried twice. */
const operations: Readonly<Record<string, Operation>> = {
  GetItem: { run: (backend) => backend.find(key), expected: items[1] },
  Query: {
    async run(backend) {
      const found = await backend.where('group', '=', 'g').all()
      return found.map(({ id }) => id)
    },
    expected: items.map(({ id }) => id),
    // The first page is given, and the second is what is broken.
    calm: 1,
  },
  PutItem: { run: (backend) => backend.put({ ...key, text: 'put' }), expected: { ...key, text: 'put' } },
  UpdateItem: { run: (backend) => backend.update(key, { text: 'new' }), expected: { ...key, text: 'new' } },
  BatchGetItem: {
    async run(backend) {
      const found = await backend.findMany([2, 1, 99].map((id) => ({ group: 'g', id })))
      return found.map((item) => item?.id)
    },
    expected: [2, 1, undefined],
  },
  BatchWriteItem: {
    async run(backend) {
      await backend.batch({ put: [{ ...key, text: 'batch' }], delete: [{ ...key, id: 2 }] })
      return [await backend.find(key), await backend.find({ ...key, id: 2 })]
    },
    expected: [{ ...key, text: 'batch' }, undefined],
  },
}

type Backend = Awaited<ReturnType<typeof openFilled>>['backend']

async function openFilled() {
  const opened = await tables.openFaulty(definition)
  await opened.calm.batch({ put: items })
  return opened
}

describe.each(Object.entries(operations))('%s', (action, { run, expected, calm = 0 }) => {
  const faults = action.startsWith('Batch') ? [...network, 'unprocessed' as const] : network
  it.each(faults)('gets over %s', async (fault) => {
    const { backend, proxy } = await openFilled()
    proxy.queue(action, ...Array<undefined>(calm).fill(undefined), fault, fault)
    expect(await run(backend)).toEqual(expected)
    expect(proxy.faults).toEqual([fault, fault])
  })

  it.each(network)('is an error of its own where %s does not end', async (fault) => {
    const { backend, proxy } = await openFilled()
    let seen = 0
    proxy.plan = (request) => (request.action === action && seen++ >= calm ? fault : undefined)
    const error: unknown = await run(backend).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect((error as Error).name).toBe(action.startsWith('Batch') ? 'PartialBatchError' : errors[fault])
    expect(proxy.faults, 'tried three times').toEqual([fault, fault, fault])
  })
})

describe('dynamodb D54: a write whose answer was lost', () => {
  it('what has expired is no item, also where it comes with the answer', async () => {
    const { backend } = await tables.openFaulty(definition, { ttl: 'count' })
    await backend.put({ ...key, count: 1 })
    await expect(backend.update(key, { text: 'x' })).rejects.toMatchObject({ name: 'NotFoundError' })
  })
})

describe.each([1, 2, 3, 4])('by chance, seed %i', (seed) => {
  it('what is acknowledged is there, and what is not is told', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition, { version: 'rev' })
    vi.spyOn(console, 'error')
    proxy.seed(seed, 0.3, [...network, 'conflict', 'unprocessed'])
    const random = seededRandom(seed + 100)
    // What may be stored under a key, by the text; several where a write was not acknowledged.
    const possible = new Map<number, Set<string | undefined>>()
    const texts = (id: number) => possible.get(id) ?? new Set([undefined])
    let told = 0
    for (let step = 0; step < 150; step++) {
      const id = Math.floor(random() * 8)
      const [text, kind] = [`step ${step}`, random()]
      const at = { group: 'g', id }
      const write = async (): Promise<string | undefined> => {
        if (kind < 0.4) return (await backend.create({ ...at, text })).text ?? undefined
        if (kind < 0.8) return (await backend.update(at, { text })).text ?? undefined
        await backend.delete(at)
        return undefined
      }
      const after = kind < 0.8 ? text : undefined
      try {
        expect(await write()).toBe(after)
        possible.set(id, new Set([after]))
      } catch (error) {
        const { name, ambiguous = true } = error as { name: string; ambiguous?: boolean }
        told++
        // A refusal that is certain leaves what was there; any other error leaves both open.
        if (name !== 'NotFoundError' && !(name === 'ConflictError' && !ambiguous)) texts(id).add(after)
        if (!possible.has(id)) possible.set(id, new Set([undefined, after]))
      }
    }
    for (let id = 0; id < 8; id++) {
      const held = await calm.find({ group: 'g', id })
      expect([...texts(id)], `item ${id}`).toContain(held?.text ?? undefined)
    }
    expect(proxy.faults.length).toBeGreaterThan(20)
    expect(told).toBeGreaterThan(0)
    expect(console.error).not.toHaveBeenCalled()
  })

  it('every page is whole, or its error leads on', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition, {}, 2)
    await calm.batch({
      put: Array.from({ length: 30 }, (_, id) => ({ group: 'g', id, text: id % 3 === 0 ? 'some' : 'other' })),
    })
    proxy.seed(seed, 0.4, network)
    const query = backend.where('group', '=', 'g').where('text', '=', 'some').where('id', '!=', 9).limit(3)
    const seen: number[] = []
    let after: string | undefined
    for (let tries = 0; tries < 100; tries++) {
      try {
        const page = await query.after(after).page()
        seen.push(...page.items.map(({ id }) => id))
        after = page.next
        if (after === undefined) break
      } catch (error) {
        after = error instanceof ThrottledError ? (error.next ?? after) : after
      }
    }
    expect(seen).toEqual([0, 3, 6, 12, 15, 18, 21, 24, 27])
  })
})
