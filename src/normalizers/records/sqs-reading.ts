import type { Context, SQSRecord } from 'aws-lambda'
import type { PayloadPointer } from './unwrap.ts'

/** What a record's body is: JSON, text as it stands, or what a function makes of it. */
export type SqsBody = 'json' | 'text' | ((text: string, record: SQSRecord) => unknown)

/** How the records of a batch are read. */
export interface SqsReading {
  readonly body: SqsBody
  readonly unwrap: boolean
  /** Reads a payload that a body points to. */
  readonly resolvePayload?:
    ((pointer: PayloadPointer, record: SQSRecord) => string | Promise<string>) | undefined
}

/** What a request needs of its batch. */
export interface SqsRequestBatch {
  readonly lambdaContext: Context
  readonly reading: SqsReading
  readonly signal: AbortSignal
}
