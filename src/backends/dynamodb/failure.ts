import { ClearskiesError } from '../../errors/index.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** What errors of a client tell, of DynamoDB or of the network. */
export interface ClientFailure {
  readonly name?: string
  readonly message?: string
  /** Of what it was about, where it has passed the connection. */
  readonly table?: string
  readonly region?: string
  readonly $fault?: string
  readonly $metadata?: { attempts?: number; readonly httpStatusCode?: number; readonly lost?: boolean }
  /** The item that did not meet a condition. */
  readonly Item?: AttributeItem
  readonly CancellationReasons?: readonly { readonly Code?: string; readonly Item?: AttributeItem }[]
}

/** An error, to ask what it tells; whatever may have been thrown. */
export function clientFailure(error: unknown): ClientFailure {
  return new Object(error)
}

/** Whether a write may be done although it has failed. What is not known of an error counts as such. */
export function mayBeDone(error: unknown): boolean {
  if (error instanceof ClearskiesError) return 'ambiguous' in error && error.ambiguous === true
  const { $metadata: { httpStatusCode: status = 0, attempts = 1, lost = attempts > 1 } = {} } =
    clientFailure(error)
  return lost || status < 400 || status >= 500
}
