import type { SQSRecord } from 'aws-lambda'
import type { PayloadPointer } from './payload-pointer.ts'

/** What a record's body is: JSON, text as it stands, or what a function makes of it, which may be a promise. */
export type SqsBody = 'json' | 'text' | ((text: string, record: SQSRecord) => unknown)

/** A source whose messages come by way of a queue. */
export type UnwrapSource = 'sns' | 'event-bridge' | 's3'

/** What the option `unwrap` takes. */
export type Unwrap = boolean | UnwrapSource

/** How the records of a batch are read. */
export interface SqsReading {
  readonly body: SqsBody
  /** The source that all bodies are of, or whether what is around them is taken off. */
  readonly unwrap: Unwrap
  /** Reads a payload that a body points to. */
  readonly resolvePayload?:
    ((pointer: PayloadPointer, record: SQSRecord) => string | Promise<string>) | undefined
}
