import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type * as sdk from '@aws-sdk/client-dynamodb'
import type { ClientOption } from '../../aws/client.ts'
import { dynamodb } from '../../aws/dynamodb.ts'
import {
  type OperationInput,
  type OperationOf,
  type OperationOutput,
  type Port,
  portTo,
} from '../../aws/port.ts'
import { DeadlineError, ThrottledError } from '../../errors/index.ts'
import { failureOf } from './failure.ts'
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
  /** For messages. */
  readonly title: () => string
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

  async call<TOperation extends TableOperation>(
    operation: TOperation,
    input: Input<TOperation>,
    signal?: AbortSignal,
  ): Promise<Output<TOperation>> {
    let tried = 0
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      // What is not sent has certainly not been done.
      if (remainingTime() <= 0)
        throw new DeadlineError(`The time was up before ${this.#options.title()} was asked`)
      try {
        const output = await this.#port.call(operation, input, withinTime(signal))
        if (this.#options.onCapacity !== undefined) this.#report(output)
        return output
      } catch (error) {
        concealItems(error)
        // Whoever asks how often it was tried means all of it.
        const { $metadata: metadata } = failureOf(error)
        if (metadata !== undefined) metadata.attempts = tried += metadata.attempts ?? 1
        // The client itself tries again after most errors, but not after this one.
        if (attempt < maxAttempts && isTransactionConflict(error)) await pause(attempt, signal)
        else throw this.#explained(error, signal)
      }
    }
  }

  #report(output: unknown): void {
    const { ConsumedCapacity: consumed } = output as {
      ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[]
    }
    for (const capacity of [consumed ?? []].flat()) this.#options.onCapacity?.(capacity)
  }

  #explained(cause: unknown, signal: AbortSignal | undefined): unknown {
    const { name } = failureOf(cause)
    if (throttled.has(String(name)))
      return new ThrottledError(`${this.#options.title()} takes no more requests at the moment`, { cause })
    if (name !== 'AbortError' && name !== 'TimeoutError') return cause
    if (signal?.aborted === true) return signal.reason
    return remainingTime() > 0
      ? cause
      : new DeadlineError('The time was up before DynamoDB answered', { cause })
  }
}

const throttled = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
])

/** What a failed condition comes with is for the code that asks, and for no log. */
function concealItems(error: unknown): void {
  const failure = failureOf(error)
  for (const holder of [failure, ...(failure.CancellationReasons ?? [])])
    if (Object.hasOwn(holder, 'Item')) Object.defineProperty(holder, 'Item', { enumerable: false })
}

function isTransactionConflict(error: unknown): boolean {
  const { name, CancellationReasons: reasons = [] } = failureOf(error)
  if (name === 'TransactionConflictException') return true
  if (name !== 'TransactionCanceledException') return false
  const codes = reasons.map(({ Code = 'None' }) => Code).filter((code) => code !== 'None')
  return codes.length > 0 && codes.every((code) => code === 'TransactionConflict')
}

/** The caller's signal, and the end of the invocation: the client's own tries can take seconds. */
function withinTime(signal: AbortSignal | undefined): AbortSignal | undefined {
  const left = remainingTime()
  if (left === Infinity) return signal
  const end = AbortSignal.timeout(Math.max(0, Math.min(left, 2 ** 31 - 1)))
  return signal === undefined ? end : AbortSignal.any([signal, end])
}

/** Full jitter: what met once shall not meet again. */
export async function pause(attempt: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  const wait = Math.random() * Math.min(2000, 25 * 2 ** attempt)
  await new Promise((resolve) => setTimeout(resolve, Math.min(wait, Math.max(0, remainingTime()))))
}
