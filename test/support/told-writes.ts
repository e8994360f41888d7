import { ConflictError, type NotFoundError } from 'clearskies-middy'
import { expect } from 'vitest'
import { z } from 'zod'
import type { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import type { DynamoDbFaultProxy, Fault } from './dynamodb-fault-proxy.ts'

/** A job that several workers want: nothing in it is unique to the worker who took it. */
export const jobs = {
  key: ['id'],
  schema: z.object({ id: z.string(), state: z.string().optional(), rev: z.number().optional() }),
} as const

type Job = z.output<typeof jobs.schema>
type Jobs = DynamoDbBackend<Job, Job, 'id'>

const key = { id: 'job' }
const taken = { state: 'taken' }
const isOpen = { when: (query: ReturnType<Jobs['query']>) => query.where('state', '=', 'open') }

interface ToldWrite {
  readonly action: 'PutItem' | 'UpdateItem' | 'DeleteItem'
  readonly version?: 'rev'
  /** Whether there is an item before. */
  readonly isThere?: boolean
  /** Whether a second writer is let through as well. */
  readonly isFree?: boolean
  run(jobs: Jobs): Promise<unknown>
}

/** Every kind of write, as two workers do it who want the same. */
export const toldWrites: Readonly<Record<string, ToldWrite>> = {
  create: { action: 'PutItem', run: (to) => to.create({ ...key, ...taken }) },
  'create with a version': {
    action: 'PutItem',
    version: 'rev',
    run: (to) => to.create({ ...key, ...taken }),
  },
  put: { action: 'PutItem', isThere: true, isFree: true, run: (to) => to.put({ ...key, ...taken }) },
  'put of a new item with a version': {
    action: 'PutItem',
    version: 'rev',
    run: (to) => to.put({ ...key, ...taken }),
  },
  'put over a version': {
    action: 'PutItem',
    version: 'rev',
    isThere: true,
    run: (to) => to.put({ ...key, ...taken, rev: 1 }),
  },
  'put with a condition': {
    action: 'PutItem',
    isThere: true,
    run: (to) => to.put({ ...key, ...taken }, isOpen),
  },
  update: { action: 'UpdateItem', isThere: true, isFree: true, run: (to) => to.update(key, taken) },
  'update over a carried version': {
    action: 'UpdateItem',
    version: 'rev',
    isThere: true,
    run: (to) => to.update(key, { ...taken, rev: 1 }),
  },
  'update over an expected version': {
    action: 'UpdateItem',
    version: 'rev',
    isThere: true,
    run: (to) => to.update(key, taken, { expect: 1 }),
  },
  'update with a condition': {
    action: 'UpdateItem',
    isThere: true,
    run: (to) => to.update(key, taken, isOpen),
  },
  'upsert with a condition': {
    action: 'UpdateItem',
    run: (to) => to.update(key, taken, { upsert: true, when: (query) => query.where('state', 'is-null') }),
  },
  delete: { action: 'DeleteItem', isThere: true, isFree: true, run: (to) => to.delete(key) },
  'delete of what must exist': {
    action: 'DeleteItem',
    isThere: true,
    run: (to) => to.delete(key, { mustExist: true }),
  },
  'delete of a version': {
    action: 'DeleteItem',
    version: 'rev',
    isThere: true,
    run: (to) => to.delete(key, { expect: 1 }),
  },
}

/** What can become of the first attempt, and whether its sender can know that it wrote nothing. */
export const toldFaults: readonly (readonly [Fault, 'refused' | 'unanswered'])[] = [
  ['throttle', 'refused'],
  ['conflict', 'refused'],
  ['internal', 'unanswered'],
  ['reset-before', 'unanswered'],
  ['reset-after', 'unanswered'],
]

interface Told {
  readonly write: ToldWrite
  readonly fault: Fault
  readonly knows: 'refused' | 'unanswered'
  /** Whether another worker writes between the attempts. */
  readonly hasRival: boolean
}

/** Does a write whose first attempt fails, and checks that what it tells is true. */
export async function expectTruth(
  { backend, calm, proxy }: { backend: Jobs; calm: Jobs; proxy: DynamoDbFaultProxy },
  { write, fault, knows, hasRival }: Told,
): Promise<void> {
  if (write.isThere === true) await calm.create({ ...key, state: 'open' })
  proxy.queue(write.action, fault)
  const won: string[] = []
  if (hasRival)
    proxy.onFault = () =>
      write.run(calm).then(
        () => won.push('the rival'),
        () => undefined,
      )
  const outcome = await write.run(backend).then(
    () => 'done' as const,
    (error: unknown) => error as ConflictError | NotFoundError,
  )
  expect(proxy.faults).toEqual([fault])
  const isWritten = fault === 'reset-after'
  const rivalWon = won.length > 0
  expect(rivalWon, 'the rival').toBe(hasRival && (write.isFree === true || !isWritten))
  if (write.isFree === true || (!isWritten && !rivalWon)) {
    expect(outcome, 'nobody else was let through').toBe('done')
    return
  }
  expect(outcome, 'no proof, no success').not.toBe('done')
  if (knows === 'unanswered') expect(outcome).toMatchObject({ name: 'ConflictError', ambiguous: true })
  // Of an attempt that was refused it is known that it wrote nothing.
  else if (outcome instanceof ConflictError) expect(outcome.ambiguous).toBe(false)
  else expect(outcome).toMatchObject({ name: 'NotFoundError', statusCode: 404 })
}
