import type { Context } from 'aws-lambda'

/** What the requests of all record sources have. */
export interface RecordRequest<TData = unknown> {
  /** What it is, the same as the source: `sqs`, `sns`, … */
  readonly kind: string
  readonly source: string
  /** Stays the same when AWS delivers the record again. */
  readonly id: string | undefined
  /** The record as Lambda sent it. */
  readonly raw: unknown
  readonly lambdaContext: Context
  /** Aborted when the record should stop, because the function's time is nearly up. */
  readonly signal: AbortSignal
  data: TData
}

/** What a request needs of its batch. */
export type BatchScope = Pick<RecordRequest, 'lambdaContext' | 'signal'>
