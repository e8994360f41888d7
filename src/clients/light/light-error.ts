/** What is known about a call, and about its attempts. */
export interface LightMetadata {
  /** Of the last answer. */
  httpStatusCode?: number
  /** Of the last answer. */
  requestId?: string
  /** How many requests were sent. */
  attempts: number
  /** How long the call waited between its attempts, in milliseconds. */
  totalRetryDelay: number
  /** Whether an attempt ended without an answer, or with an answer from 500 on: it may have done its work. */
  lost: boolean
}

/** An error of a call. `name` is the service's code, and the service's other members are properties. */
export interface LightError extends Error {
  readonly $metadata: LightMetadata
  /** Whose fault it is, as the status tells. `undefined` where there was no answer. */
  readonly $fault?: 'client' | 'server'
  /** Node's code of a network error. */
  readonly code?: string
}
