import { invalidEvent } from '../events/advice.ts'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { eventKind } from '../events/event-kind.ts'
import { type SqsBody, type SqsReading, SqsRequest } from './sqs-request.ts'
import type { PayloadPointer } from './records/unwrap.ts'

/** How `sqs()` reads a batch. */
export interface SqsBatchOptions {
  /** What the bodies are. @default 'json' */
  readonly body?: SqsBody
  /**
   * Takes off what AWS's services put around the data: SNS's notification, EventBridge's event; decodes the keys in S3's
   * notifications and lets their test messages pass.
   * @default false
   */
  readonly unwrap?: boolean
  /** Reads a payload that the extended client libraries have put into S3; without it such a record fails. */
  readonly resolvePayload?: (pointer: PayloadPointer, record: SQSRecord) => string | Promise<string>
}

/**
 * A batch of records, as `sqs()` leaves it to `eachRecord()`. It carries `Records`, so that Middy's own SQS
 * middlewares can read it.
 *
 * @example
 * ```ts
 * import type { SqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
 *
 * export const oldest = ({ requests }: SqsBatch) => Math.min(...requests.map(({ sentAt }) => sentAt.getTime()))
 * ```
 */
export class SqsBatch {
  readonly kind = 'sqs-batch'
  readonly source = 'sqs'
  /** The event as Lambda sent it. */
  readonly raw: SQSEvent
  readonly lambdaContext: Context
  readonly Records: readonly SQSRecord[]
  /** The records' ids, kept from before any handler could change the event. */
  readonly messageIds: readonly string[]
  /** @internal */
  readonly reading: SqsReading
  /** How each record ended, as far as they have; what happens to the batch later does not change it. */
  results: readonly (PromiseSettledResult<unknown> | undefined)[] | undefined
  /** @internal What `sqs()` answers, once that is made. */
  answer: Promise<SQSBatchResponse> | undefined

  #requests: SqsRequest[] | undefined
  #abort: AbortController | undefined

  private constructor(event: SQSEvent, lambdaContext: Context, reading: SqsReading) {
    this.raw = event
    this.lambdaContext = lambdaContext
    this.Records = event.Records.slice()
    this.messageIds = event.Records.map(({ messageId }) => messageId)
    this.reading = reading
  }

  /** @internal */
  static of(event: SQSEvent, lambdaContext: Context, reading: SqsReading): SqsBatch {
    return new SqsBatch(event, lambdaContext, reading)
  }

  /** One request per record, in order. */
  get requests(): readonly SqsRequest[] {
    return (this.#requests ??= this.Records.map((_, index) => this.#request(index)))
  }

  /** The data of all records; parsing stops at the first that is malformed. */
  get data(): unknown[] {
    return this.requests.map(({ data }) => data)
  }

  /** Aborted when the records should stop, because the function's time is nearly up. */
  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal
  }

  /** @internal */
  abort(reason: Error): void {
    this.#abort ??= new AbortController()
    this.#abort.abort(reason)
  }

  /** @internal The request of one record. A batch can have 10,000: unless somebody has looked at all, none is kept. */
  requestOf(index: number): SqsRequest {
    return this.#requests?.[index] ?? this.#request(index)
  }

  #request(index: number): SqsRequest {
    return SqsRequest.of(this.Records[index] as SQSRecord, this.messageIds[index] as string, this)
  }
}

/**
 * Reads an SQS event.
 *
 * @throws InvalidEventError if it is another event
 * @example
 * ```ts
 * import { sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
 * import { lambdaContext, sqsEvent } from 'clearskies-middy/testing'
 *
 * console.log(sqsBatch(sqsEvent([{ body: { id: 7 } }]), lambdaContext()).data) // [ { id: 7 } ]
 * ```
 */
export function sqsBatch(
  event: unknown,
  context: Context,
  { body = 'json', unwrap = false, resolvePayload }: SqsBatchOptions = {},
): SqsBatch {
  const kind = eventKind(event)
  if (kind !== 'aws:sqs') throw invalidEvent('sqs', ['aws:sqs'], kind)
  return SqsBatch.of(event as SQSEvent, context, { body, unwrap, resolvePayload })
}
