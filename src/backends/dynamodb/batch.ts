import type { WriteRequest } from '@aws-sdk/client-dynamodb'
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
import { clientFailure } from './failure.ts'
import { keyId } from '../planning/key-id.ts'
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
  const open = await inBatches({ pieces: keyBatches(keys, keyColumns), signal }, async (some) => {
    const { Responses, UnprocessedKeys } = await connection.call(
      'BatchGetItem',
      compileBatchGet(some, options),
      { signal },
    )
    for (const item of Object.values(Responses ?? {}).flat()) found.set(keyId(item, keyColumns), item)
    return Object.values(UnprocessedKeys ?? {}).flatMap(({ Keys = [] }) => Keys)
  })
  refuseOpen(ids, new Set(open.keys.map((key) => keyId(key, keyColumns))), open.cause)
  return ids.map((id) => found.get(id))
}

/** Stores and removes items, each for itself and without conditions. */
export async function batchWrite(
  requests: readonly { readonly key: AttributeItem; readonly request: WriteRequest }[],
  { connection, table, keyColumns, capacity = false }: BatchOptions,
  signal?: AbortSignal,
): Promise<void> {
  const ids = requests.map(({ key }) => keyId(key, keyColumns))
  if (new Set(ids).size < ids.length)
    throw new ConditionError('A batch writes one item twice, and the order of its writes is not known')
  const open = await inBatches(
    {
      pieces: chunks(
        requests.map(({ request }) => request),
        writeSize,
      ),
      signal,
    },
    async (some) => {
      const { UnprocessedItems } = await connection.call(
        'BatchWriteItem',
        { RequestItems: { [table]: some }, ...(capacity && { ReturnConsumedCapacity: 'INDEXES' }) },
        { signal },
      )
      return Object.values(UnprocessedItems ?? {}).flat()
    },
  )
  const idOf = ({ PutRequest, DeleteRequest }: WriteRequest): string =>
    keyId(PutRequest?.Item ?? DeleteRequest?.Key ?? {}, keyColumns)
  refuseOpen(ids, new Set(open.keys.map(idOf)), open.cause)
}

function refuseOpen(ids: readonly string[], open: ReadonlySet<string>, cause: unknown): void {
  if (open.size === 0) return
  const positions = [...ids.keys()]
  const isOpen = (index: number): boolean => open.has(ids[index] ?? '')
  throw new PartialBatchError(
    positions.filter((index) => !isOpen(index)),
    positions.filter(isOpen),
    { cause },
  )
}

/** Whether an error says nothing of the other pieces: DynamoDB, the network or the time, and not what was asked for. */
function isPassing(error: unknown): boolean {
  const { $fault, $metadata } = clientFailure(error)
  if ([ThrottledError, UnavailableError, DeadlineError].some((kind) => error instanceof kind)) return true
  return $metadata !== undefined && $fault !== 'client'
}

interface Batches<T> {
  readonly pieces: readonly T[][]
  readonly signal: AbortSignal | undefined
}

/**
 * Does a list in pieces, some at once; what a piece leaves over goes again after a pause. Gives what is left in the end.
 */
async function inBatches<T>(
  { pieces, signal }: Batches<T>,
  run: (some: T[]) => Promise<T[]>,
): Promise<{ keys: T[]; cause: unknown }> {
  const left: T[] = []
  let cause: unknown
  let failure: { readonly error: unknown } | undefined

  async function work(piece: T[]): Promise<void> {
    if (failure !== undefined) return
    let open = piece
    try {
      for (let fruitless = 0; open.length > 0 && fruitless < maxFruitless && remainingTime() > 0;) {
        if (open !== piece) await pauseBeforeRetry(fruitless + 1, signal)
        signal?.throwIfAborted()
        const before = open.length
        open = await run(open)
        fruitless = open.length < before ? 0 : fruitless + 1
      }
    } catch (error) {
      if (isPassing(error)) cause = error
      else failure ??= { error }
    }
    left.push(...open)
  }
  // All have come to an end then: nothing goes on behind an error.
  await mapConcurrently(pieces, work, concurrency)
  if (failure !== undefined) throw failure.error
  return { keys: left, cause }
}
