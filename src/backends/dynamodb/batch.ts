import type { WriteRequest } from '@aws-sdk/client-dynamodb'
import { Attempts } from '../../aws/attempts.ts'
import { chunks } from '../../core/chunks.ts'
import { mapConcurrently } from '../../core/map-concurrently.ts'
import {
  ConditionError,
  DeadlineError,
  PartialBatchError,
  ThrottledError,
  UnavailableError,
} from '../../errors/index.ts'
import { remainingTime } from '../../invocation/scope.ts'
import { type Connection, pauseBeforeRetry } from './connection.ts'
import { type KeyRequestOptions, compileBatchGet, keyBatches } from './compile-keys.ts'
import { clientFailure, mayBeDone } from './failure.ts'
import { keyId } from '../planning/key-id.ts'
import { type Fate, told } from '../planning/outcomes.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const writeSize = 25
/** Batches at once. */
const concurrency = 4
/** Rounds without any progress. */
const maxFruitless = 8

/** Where batches go. */
export interface BatchOptions extends KeyRequestOptions {
  readonly connection: Connection
}

/**
 * Items by their keys, in the order of the keys, as many as there are. A key that is asked for twice is read once.
 *
 * @throws PartialBatchError if some cannot be read within the time
 */
export async function batchGet(
  keys: readonly AttributeItem[],
  options: BatchOptions,
  signal?: AbortSignal,
): Promise<(AttributeItem | undefined)[]> {
  const { connection, keyColumns } = options
  const ids = keys.map((key) => keyId(key, keyColumns))
  const found = new Map<string, AttributeItem>()
  const rest = await inBatches({ pieces: keyBatches(keys, keyColumns), signal }, async (some) => {
    const { Responses, UnprocessedKeys } = await connection.call(
      'BatchGetItem',
      compileBatchGet(some, options),
      { signal },
    )
    for (const item of Object.values(Responses ?? {}).flat()) found.set(keyId(item, keyColumns), item)
    return Object.values(UnprocessedKeys ?? {}).flatMap(({ Keys = [] }) => Keys)
  })
  if (rest.failure !== undefined) throw rest.failure.error
  const open = new Set(rest.open.map((key) => keyId(key, keyColumns)))
  refuseRest(
    ids.map((id) => (open.has(id) ? 'failed' : 'done')),
    rest,
  )
  return ids.map((id) => found.get(id))
}

/** Stores and removes items, each for itself and without conditions. */
export async function batchWrite(
  requests: readonly { readonly key: AttributeItem; readonly request: WriteRequest }[],
  { connection, table, keyColumns, capacity = false }: BatchOptions,
): Promise<void> {
  const ids = requests.map(({ key }) => keyId(key, keyColumns))
  if (new Set(ids).size < ids.length)
    throw told(
      new ConditionError('A batch writes one item twice, and the order of its writes is not known'),
      ids.map(() => 'failed'),
    )
  const pieces = chunks(
    requests.map(({ request }) => request),
    writeSize,
  )
  const rest = await inBatches({ pieces }, async (some) => {
    const { UnprocessedItems } = await connection.call(
      'BatchWriteItem',
      { RequestItems: { [table]: some }, ...(capacity && { ReturnConsumedCapacity: 'INDEXES' }) },
      { attempts: new Attempts() },
    )
    return Object.values(UnprocessedItems ?? {}).flat()
  })
  const idOf = ({ PutRequest, DeleteRequest }: WriteRequest): string =>
    keyId(PutRequest?.Item ?? DeleteRequest?.Key ?? {}, keyColumns)
  const open = new Set(rest.open.map(idOf))
  const unknown = new Set(rest.unknown.map(idOf))
  refuseRest(
    ids.map((id) => (unknown.has(id) ? 'unknown' : open.has(id) ? 'failed' : 'done')),
    rest,
  )
}

/** @throws PartialBatchError, or what made it senseless to go on, if not all is done */
function refuseRest(
  fates: readonly Fate[],
  { cause, failure }: Pick<Rest<unknown>, 'cause' | 'failure'>,
): void {
  const positions = [...fates.keys()]
  const done = positions.filter((index) => fates[index] === 'done')
  if (done.length === fates.length) return
  const left = positions.filter((index) => fates[index] !== 'done')
  throw told(failure === undefined ? new PartialBatchError(done, left, { cause }) : failure.error, fates)
}

/** Whether an error says nothing of the other pieces: DynamoDB, the network or the time, and not what was asked for. */
function isPassing(error: unknown): boolean {
  const { $fault, $metadata } = clientFailure(error)
  if ([ThrottledError, UnavailableError, DeadlineError].some((kind) => error instanceof kind)) return true
  return $metadata !== undefined && $fault !== 'client'
}

interface Batches<T> {
  readonly pieces: readonly T[][]
  readonly signal?: AbortSignal | undefined
}

/** What batches leave over. */
interface Rest<T> {
  /** What is not done. */
  readonly open: T[]
  /** What may be done or not. */
  readonly unknown: T[]
  /** Why, for what passes. */
  readonly cause: unknown
  /** What will not pass. */
  readonly failure: { readonly error: unknown } | undefined
}

/**
 * Does a list in pieces, some at once; what a piece leaves over goes again after a pause. Gives what is left in the end.
 */
async function inBatches<T>(
  { pieces, signal }: Batches<T>,
  run: (some: T[]) => Promise<T[]>,
): Promise<Rest<T>> {
  const left: T[] = []
  const unknown: T[] = []
  let cause: unknown
  let failure: Rest<T>['failure']

  async function work(piece: T[]): Promise<void> {
    let open = piece
    try {
      for (let fruitless = 0; open.length > 0 && fruitless < maxFruitless && remainingTime() > 0;) {
        if (failure !== undefined) break
        if (open !== piece) await pauseBeforeRetry(fruitless + 1, signal)
        signal?.throwIfAborted()
        const before = open.length
        open = await run(open)
        fruitless = open.length < before ? 0 : fruitless + 1
      }
      left.push(...open)
    } catch (error) {
      if (isPassing(error)) cause = error
      else failure ??= { error }
      ;(mayBeDone(error) ? unknown : left).push(...open)
    }
  }
  // All have come to an end then: nothing goes on behind an error.
  await mapConcurrently(pieces, work, concurrency)
  return { open: left, unknown, cause, failure }
}
