import type { Context } from 'aws-lambda'

/** The kinds of requests that come as records. */
export type RecordKind = 'sqs' | 'kinesis' | 'dynamodb-stream' | 'kafka' | 'sns' | 's3' | 'firehose' | 'logs'

/** What the requests of all record sources have. */
export interface RecordRequest<TData = unknown> {
  /** What it is, the same as the source: `sqs`, `sns`, … */
  readonly kind: RecordKind
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
