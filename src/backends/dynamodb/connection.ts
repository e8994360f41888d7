import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type * as sdk from '@aws-sdk/client-dynamodb'
import type { Attempts } from '../../aws/attempts.ts'
import { tell } from '../../core/ignore.ts'
import { type AnyClient, type ClientOption, regionOfClient } from '../../aws/client.ts'
import { dynamodb } from '../../aws/dynamodb.ts'
import {
  type OperationInput,
  type OperationOf,
  type OperationOutput,
  type Port,
  portTo,
} from '../../aws/port.ts'
import { ConflictError, DeadlineError, ThrottledError, UnavailableError } from '../../errors/index.ts'
import { clientFailure } from './failure.ts'
import { located } from '../planning/located.ts'
import { remainingTime } from '../../invocation/scope.ts'

/** The operations of DynamoDB. */
export type TableOperation = OperationOf<typeof sdk>
/** What an operation takes. */
export type Input<TOperation extends string> = OperationInput<typeof sdk, TOperation>
/** What an operation gives. */
export type Output<TOperation extends string> = OperationOutput<typeof sdk, TOperation>

/** What a connection is told of. */
export interface ConnectionOptions {
  readonly client?: ClientOption | undefined
  /** The table, for logs and for messages that no caller sees. */
  readonly table: () => string
  readonly onCapacity?: ((consumed: ConsumedCapacity) => void) | undefined
}

/** How often a write that met another transaction is tried in all. */
const maxAttempts = 6

/** Calls operations: never longer than the invocation lasts, and with errors that say what to do. */
export class Connection {
  readonly #port: Port<typeof sdk>
  readonly #options: ConnectionOptions

  constructor(options: ConnectionOptions) {
    this.#port = portTo(dynamodb, { client: options.client })
    this.#options = options
  }

  /** Calls an operation. */
  call<TOperation extends TableOperation>(
    operation: TOperation,
    input: Input<TOperation>,
    call: TableCall = {},
  ): Promise<Output<TOperation>> {
    const port = call.attempts === undefined ? this.#port : this.#port.noting(call.attempts)
    return this.#tried((within) => port.call(operation, input, within), call)
  }

  /** The client, to tell whether two connections are one. */
  client(): Promise<AnyClient> {
    return this.#port.client()
  }

  async #tried<T>(send: (signal: AbortSignal | undefined) => Promise<T>, call: TableCall): Promise<T> {
    let tried = 0
    for (let attempt = 1; ; attempt++) {
      call.signal?.throwIfAborted()
      // What is not sent has certainly not been done.
      if (remainingTime() <= 0)
        throw new DeadlineError(`The time was up before ${this.#options.table()} was asked`, {
          ambiguous: call.attempts?.mayBeDone(undefined) === true,
        })
      try {
        const output = await send(withinTime(call.signal))
        this.#report(output, call)
        return output
      } catch (error) {
        concealItems(error)
        // Whoever asks how often it was tried means all of it.
        const { $metadata: metadata } = clientFailure(error)
        if (metadata !== undefined) metadata.attempts = tried += metadata.attempts ?? 1
        // The client itself tries again after most errors, but not after these.
        if (attempt < maxAttempts && isTransient(error)) await pauseBeforeRetry(attempt, call.signal)
        else throw await this.#located(this.#explained(error, call), call)
      }
    }
  }

  /** An error with what an operator has to know of it, and no caller. The reason of a signal is the caller's own. */
  async #located(error: unknown, { signal, tables = [this.#options.table()] }: TableCall): Promise<unknown> {
    if (signal?.aborted === true && error === signal.reason) return error
    const client = await this.#port.client().catch(() => undefined)
    return located(error, { table: tables.join(', '), region: await regionOfClient(client) })
  }

  #report(output: unknown, { onCapacity = this.#options.onCapacity }: TableCall): void {
    if (onCapacity === undefined) return
    const { ConsumedCapacity: consumed } = output as {
      ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[]
    }
    for (const capacity of [consumed ?? []].flat()) tell(onCapacity, capacity)
  }

  #explained(cause: unknown, { signal, attempts }: TableCall): unknown {
    const { name = '', $fault: fault, $metadata: metadata } = clientFailure(cause)
    const ambiguous = attempts?.mayBeDone(cause) === true
    if (throttled.has(name) || (isTransient(cause) && reasonCodes(cause).some((code) => throttled.has(code))))
      return ambiguous
        ? new UnavailableError('The database gave no answer, and then took no more requests', {
            cause,
            ambiguous,
          })
        : new ThrottledError('The database takes no more requests at the moment', { cause })
    if (contended.has(name))
      return new ConflictError('Another write of this item is being made at the moment', { cause, ambiguous })
    if (fault === 'server' || (metadata?.httpStatusCode ?? 0) >= 500)
      return new UnavailableError('The database failed on its own side', { cause, ambiguous })
    if (name !== 'AbortError' && name !== 'TimeoutError') return cause
    if (signal?.aborted === true) return signal.reason
    if (remainingTime() <= 0)
      return new DeadlineError('The time was up before DynamoDB answered', { cause, ambiguous })
    // The client has this name for all that breaks a connection.
    return name === 'TimeoutError'
      ? new UnavailableError('The database gave no answer', { cause, ambiguous })
      : cause
  }
}

/** What a call goes with. */
export interface TableCall {
  readonly signal?: AbortSignal | undefined
  /** Notes how the attempts of a write end. */
  readonly attempts?: Attempts
  /** The tables that a request is about, where it is not the one. */
  readonly tables?: readonly string[]
  /** Told what such a request consumes. */
  readonly onCapacity?: ConnectionOptions['onCapacity']
}

/** As errors, and as reasons why a transaction was cancelled. */
const throttled: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ProvisionedThroughputExceeded',
  'ThrottlingException',
  'ThrottlingError',
  'RequestLimitExceeded',
])

/** Somebody else writes the item at this moment. */
const contended: ReadonlySet<string> = new Set([
  'TransactionConflictException',
  'TransactionInProgressException',
  'ReplicatedWriteConflictException',
])

/** What a failed condition comes with is for the code that asks, and for no log. */
function concealItems(error: unknown): void {
  const failure = clientFailure(error)
  for (const holder of [failure, ...(failure.CancellationReasons ?? [])])
    if (Object.hasOwn(holder, 'Item')) Object.defineProperty(holder, 'Item', { enumerable: false })
}

/**
 * Whether the same request may succeed a moment later.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
function isTransient(error: unknown): boolean {
  if (contended.has(clientFailure(error).name ?? '')) return true
  const codes = reasonCodes(error)
  return codes.length > 0 && codes.every((code) => code === 'TransactionConflict' || throttled.has(code))
}

/** The reasons why a transaction was cancelled; those that DynamoDB calls passing may be mixed with others. */
function reasonCodes(error: unknown): string[] {
  const { name, CancellationReasons: reasons = [] } = clientFailure(error)
  if (name !== 'TransactionCanceledException') return []
  return reasons.map(({ Code = 'None' }) => Code).filter((code) => code !== 'None')
}

/** The caller's signal, and the end of the invocation: the client's own tries can take seconds. */
function withinTime(signal: AbortSignal | undefined): AbortSignal | undefined {
  const left = remainingTime()
  if (left === Infinity) return signal
  const end = AbortSignal.timeout(Math.max(0, Math.min(left, 2 ** 31 - 1)))
  return signal === undefined ? end : AbortSignal.any([signal, end])
}

/** Full jitter: what met once shall not meet again. */
export async function pauseBeforeRetry(attempt: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  const wait = Math.random() * Math.min(2000, 25 * 2 ** attempt)
  await new Promise((resolve) => setTimeout(resolve, Math.min(wait, Math.max(0, remainingTime()))))
}
