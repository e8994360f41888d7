import { seededRandom } from './seeded-random.ts'
import type { BatchAnswer, WireEntry } from './sqs-wire.ts'

/** A request as the proxy saw it. */
export interface SeenRequest {
  readonly action: string
  readonly entries: readonly WireEntry[]
  /** As SQS counts them. */
  readonly bytes: number
}

/**
 * What happens to one entry: it is listed as failed and not passed on; or it is listed nowhere, having been passed on
 * (`unlisted`) or not (`lost`).
 */
export type EntryFault = { readonly Code: string; readonly SenderFault: boolean } | 'unlisted' | 'lost'

/** What the proxy does to one request. */
export interface Plan {
  /** The request is passed on when this resolves. */
  readonly wait?: Promise<unknown>
  /** Answers so, and passes nothing on. */
  readonly error?: { readonly code: string; readonly status: number; readonly message?: string }
  /** Breaks the connection before the request is passed on, or when the engine has answered. */
  readonly reset?: 'before' | 'after'
  /** By position. */
  readonly entries?: ReadonlyMap<number, EntryFault>
  /** Changes the engine's answer. */
  readonly alter?: (answer: BatchAnswer) => void
  /** Cuts the answer off in its middle, with a status of 200. */
  readonly garbled?: boolean
}

export const internalError = { Code: 'InternalError', SenderFault: false } as const

/** How SQS says that it is busy, while putting it down to the sender. */
export const throttles = ['RequestThrottled', 'KmsThrottled', 'ThrottlingException', 'OverLimit'].map(
  (Code) => ({ Code, SenderFault: true }),
)

/** Probabilities: of an entry up to `expired`, of a request from there on. */
export interface FaultRates {
  readonly internalError?: number
  readonly throttled?: number
  readonly unlisted?: number
  /** Of a receipt handle, when its message is deleted or its visibility changed. */
  readonly expired?: number
  readonly resetBefore?: number
  readonly resetAfter?: number
  /** Of a whole SendMessageBatch that fails, half with a status that the AWS client does not try again. */
  readonly failedCall?: number
  /** Of an answer that takes up to `slowest` milliseconds. */
  readonly slow?: number
}

const slowest = 30

/** Faults by chance: the same ones for the same seed and the same requests. */
export function randomFaults(seed: number, rates: FaultRates): (request: SeenRequest) => Plan {
  const random = seededRandom(seed)
  const hits = (rate = 0): boolean => random() < rate
  const entryFault = (action: string): EntryFault | undefined => {
    if (action !== 'SendMessageBatch')
      return hits(rates.expired) ? { Code: 'ReceiptHandleIsInvalid', SenderFault: true } : undefined
    if (hits(rates.internalError)) return internalError
    if (hits(rates.throttled)) return throttles[Math.floor(random() * throttles.length)]
    return hits(rates.unlisted) ? (hits(0.5) ? 'lost' : 'unlisted') : undefined
  }
  return ({ action, entries }) => {
    const slow = hits(rates.slow) && {
      wait: new Promise((resolve) => setTimeout(resolve, random() * slowest)),
    }
    if (hits(rates.resetBefore)) return { ...slow, reset: 'before' }
    if (action === 'SendMessageBatch' && hits(rates.failedCall))
      return {
        ...slow,
        error: hits(0.5)
          ? { code: 'KmsThrottled', status: 400 }
          : { code: 'ServiceUnavailable', status: 503 },
      }
    const faults = entries.map((_, index) => [index, entryFault(action)] as const)
    return {
      ...slow,
      entries: new Map(faults.flatMap(([index, fault]) => (fault ? [[index, fault]] : []))),
      ...(hits(rates.resetAfter) && { reset: 'after' }),
    }
  }
}
