import { ConflictError } from 'clearskies-middy'
import type { Creates, Deletes, Finds, Queries, Updates } from '../../src/backends/capabilities.ts'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'

/** A job that several workers want: nothing in it is unique to the worker who took it. */
export const jobs = {
  key: ['id'],
  schema: z.object({ id: z.string(), state: z.string().optional(), rev: z.number().optional() }),
} as const

type Job = z.output<typeof jobs.schema>
type JobKey = Pick<Job, 'id'>
type Jobs = Creates<Job> & Finds<Job, JobKey> & Queries<Job> & Updates<Job, JobKey> & Deletes<Job, JobKey>

/** One worker. */
export interface ToldWorker {
  readonly jobs: Jobs
  /** Takes the job and notes that, both or neither. */
  transact(): Promise<unknown>
}

/** The first part of a statement, or the operation, that meets a fault. */
type Place = 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'TransactWriteItems'
type Statement = 'insert' | 'update' | 'delete' | 'commit'

export interface ToldWrite {
  readonly at: readonly [Place, Statement]
  readonly version?: 'rev'
  /** Whether there is an item before. */
  readonly isThere?: boolean
  /** Whether a second writer is let through as well. */
  readonly isFree?: boolean
  readonly isTransaction?: boolean
  run(by: ToldWorker): Promise<unknown>
}

/** A database and two ways to it: one has faults, and the other has none. */
export interface ToldTable {
  readonly faulty: ToldWorker
  readonly calm: ToldWorker
  /** Makes writes of a place meet a fault: once, or each time. */
  break(write: ToldWrite, fault: ToldFault, isLasting: boolean): void
  onFault(run: () => Promise<unknown>): void
  /** What happened. */
  faults(): readonly string[]
}

/** What can become of an attempt. */
export interface ToldFault {
  readonly name: 'throttle' | 'conflict' | 'internal' | 'reset-before' | 'reset-after'
  /** Whether its sender can know that it wrote nothing. */
  readonly knows: 'refused' | 'unanswered'
  /** Whether the backend, or its client, tries again. */
  readonly isRetried: boolean
}

/** One database under the contract. */
export interface ToldEngine {
  readonly name: string
  readonly faults: readonly ToldFault[]
  readonly hasTransactions: boolean
  /** Whether a transaction is tried again, with a token that tells whether it was made before. */
  readonly knowsTransactions: boolean
  open(version: 'rev' | undefined): Promise<ToldTable>
}

const key = { id: 'job' }
const taken = { state: 'taken' }
/** What {@link ToldWorker.transact} demands of the job. */
export const isOpen = { when: (query: ReturnType<Jobs['query']>) => query.where('state', '=', 'open') }

/** Every kind of write, as two workers do it who want the same. */
export const toldWrites: Readonly<Record<string, ToldWrite>> = {
  create: { at: ['PutItem', 'insert'], run: (by) => by.jobs.create({ ...key, ...taken }) },
  'create with a version': {
    at: ['PutItem', 'insert'],
    version: 'rev',
    run: (by) => by.jobs.create({ ...key, ...taken }),
  },
  put: {
    at: ['PutItem', 'insert'],
    isThere: true,
    isFree: true,
    run: (by) => by.jobs.put({ ...key, ...taken }),
  },
  'put of a new item with a version': {
    at: ['PutItem', 'insert'],
    version: 'rev',
    run: (by) => by.jobs.put({ ...key, ...taken }),
  },
  'put over a version': {
    at: ['PutItem', 'update'],
    version: 'rev',
    isThere: true,
    run: (by) => by.jobs.put({ ...key, ...taken, rev: 1 }),
  },
  'put with a condition': {
    at: ['PutItem', 'update'],
    isThere: true,
    run: (by) => by.jobs.put({ ...key, ...taken }, isOpen),
  },
  update: {
    at: ['UpdateItem', 'update'],
    isThere: true,
    isFree: true,
    run: (by) => by.jobs.update(key, taken),
  },
  'update over a carried version': {
    at: ['UpdateItem', 'update'],
    version: 'rev',
    isThere: true,
    run: (by) => by.jobs.update(key, { ...taken, rev: 1 }),
  },
  'update over an expected version': {
    at: ['UpdateItem', 'update'],
    version: 'rev',
    isThere: true,
    run: (by) => by.jobs.update(key, taken, { expect: 1 }),
  },
  'update with a condition': {
    at: ['UpdateItem', 'update'],
    isThere: true,
    run: (by) => by.jobs.update(key, taken, isOpen),
  },
  'upsert with a condition': {
    at: ['UpdateItem', 'insert'],
    run: (by) =>
      by.jobs.update(key, taken, { upsert: true, when: (query) => query.where('state', 'is-null') }),
  },
  delete: { at: ['DeleteItem', 'delete'], isThere: true, isFree: true, run: (by) => by.jobs.delete(key) },
  'delete of what must exist': {
    at: ['DeleteItem', 'delete'],
    isThere: true,
    run: (by) => by.jobs.delete(key, { mustExist: true }),
  },
  'delete of a version': {
    at: ['DeleteItem', 'delete'],
    version: 'rev',
    isThere: true,
    run: (by) => by.jobs.delete(key, { expect: 1 }),
  },
  transact: {
    at: ['TransactWriteItems', 'commit'],
    isThere: true,
    isTransaction: true,
    run: (by) => by.transact(),
  },
}

interface Told {
  readonly engine: ToldEngine
  readonly write: ToldWrite
  readonly fault: ToldFault
  /** Whether all attempts meet the fault. */
  readonly isLasting: boolean
  /** Whether another worker writes between the attempts. */
  readonly hasRival: boolean
}

/** What every write tells is true, whatever became of its attempts. */
export function toldTruly(engine: ToldEngine): void {
  const writes = Object.entries(toldWrites).filter(
    ([, { isTransaction = false }]) => engine.hasTransactions || !isTransaction,
  )
  describe.each(writes)(`M1: ${engine.name}: %s`, (_title, write) => {
    const cases = [false, true].flatMap((hasRival) =>
      [false, true].flatMap((isLasting) =>
        engine.faults.map((fault) => ({ ...fault, fault, hasRival, isLasting })),
      ),
    )
    it.each(cases)(
      'tells what is stored after $name (to the end: $isLasting, another writer in between: $hasRival)',
      async (told) => expectTruth(await engine.open(write.version), { engine, write, ...told }),
    )
  })
}

/** Does a write of which an attempt fails, and checks that what it tells is true. */
export async function expectTruth(table: ToldTable, told: Told): Promise<void> {
  const { write, fault, isLasting, hasRival } = told
  const { calm, faulty } = table
  if (write.isThere === true) await calm.jobs.create({ ...key, state: 'open' })
  table.break(write, fault, isLasting)
  let isFirst = true
  let rivalWon = false
  table.onFault(async () => {
    if (!hasRival || !isFirst) return
    isFirst = false
    rivalWon = await write.run(calm).then(
      () => true,
      () => false,
    )
  })
  const outcome = await write.run(faulty).then(
    () => undefined,
    (error: unknown) => error as Error,
  )
  expect(new Set(table.faults())).toEqual(new Set([fault.name]))
  const isWritten = fault.name === 'reset-after'
  expect(rivalWon, 'the rival').toBe(hasRival && (write.isFree === true || !isWritten))
  expectOutcome(outcome, told, rivalWon)
  await expectStored(calm, write, isWritten || rivalWon || outcome === undefined)
}

function expectOutcome(outcome: Error | undefined, told: Told, rivalWon: boolean): void {
  const { engine, write, fault, isLasting } = told
  const { isTransaction = false, isFree = false } = write
  const isUnanswered = fault.knows === 'unanswered'
  const isRetried = fault.isRetried && (!isTransaction || engine.knowsTransactions)
  if (!isRetried || isLasting) {
    expect(outcome, 'no attempt has come to an end').toBeInstanceOf(Error)
    if (isUnanswered)
      expect(outcome).toMatchObject({ name: 'UnavailableError', statusCode: 503, ambiguous: true })
    else expect(outcome).not.toMatchObject({ ambiguous: true })
    return
  }
  const isWritten = fault.name === 'reset-after'
  if (isFree || (isWritten && isTransaction) || (!isWritten && !rivalWon)) {
    expect(outcome, 'nobody else was let through').toBeUndefined()
    return
  }
  expect(outcome, 'no proof, no success').toBeInstanceOf(Error)
  if (isTransaction) expect(outcome).toMatchObject({ name: 'TransactionError', statusCode: 409 })
  else if (isUnanswered) expect(outcome).toMatchObject({ name: 'ConflictError', ambiguous: true })
  // Of an attempt that was refused it is known that it wrote nothing.
  else if (outcome instanceof ConflictError) expect(outcome.ambiguous).toBe(false)
  else expect(outcome).toMatchObject({ name: 'NotFoundError', statusCode: 404 })
}

async function expectStored({ jobs: stored }: ToldWorker, write: ToldWrite, isMade: boolean): Promise<void> {
  const isDelete = write.at[1] === 'delete'
  const before = write.isThere === true ? 'open' : undefined
  const job = await stored.find(key)
  expect(job?.state, 'what is stored').toBe(isMade ? (isDelete ? undefined : 'taken') : before)
  if (isDelete) expect(job === undefined, 'it is gone').toBe(isMade)
  if (write.isTransaction === true)
    expect((await stored.find({ id: 'note' })) !== undefined, 'all or none').toBe(isMade)
}
