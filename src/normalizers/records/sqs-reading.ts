import type { SQSRecord } from 'aws-lambda'
import type { PayloadPointer } from './payload-pointer.ts'

/** What a record's body is: JSON, text as it stands, or what a function makes of it, which may be a promise. */
export type SqsBody = 'json' | 'text' | ((text: string, record: SQSRecord) => unknown)

/** How the records of a batch are read. */
export interface SqsReading {
  readonly body: SqsBody
  readonly unwrap: boolean
  /** Reads a payload that a body points to. */
  readonly resolvePayload?:
    ((pointer: PayloadPointer, record: SQSRecord) => string | Promise<string>) | undefined
}
