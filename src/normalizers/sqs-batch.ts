import type { Context, SQSEvent, SQSRecord } from 'aws-lambda'
import { asString } from '../core/record.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordAnswer, RecordSource } from './records/record-source.ts'
import { eachFailure } from './records/answers.ts'
import { sqsAfterCare } from './records/sqs-after-care.ts'
import { listFailures } from './records/sqs-failures.ts'
import { sqsLanes } from './records/sqs-lanes.ts'
import { SqsRequest } from './sqs-request.ts'
import type { UnwrappedAs } from './records/unwrapped-as.ts'
import type { SqsBody, SqsReading, Unwrap } from './records/sqs-reading.ts'
import type { PayloadPointer } from './records/payload-pointer.ts'

/** How `sqs()` reads a batch. */
export interface SqsBatchOptions<TUnwrap extends Unwrap = Unwrap> {
  /** What the bodies are. @default 'json' */
  readonly body?: SqsBody
  /**
   * Takes off what AWS's services put around the data: SNS's notification, EventBridge's event; decodes the keys in S3's
   * notifications and lets their test messages pass. The name of a source says that all bodies are of it, so that
   * `unwrapped` has its type; a body of another source fails its record.
   * @default false
   */
  readonly unwrap?: TUnwrap
  /** Reads a payload that the extended client libraries have put into S3; without it such a record fails. */
  readonly resolvePayload?: (pointer: PayloadPointer, record: SQSRecord) => string | Promise<string>
}

function sqsSource<TUnwrapped>(
  reading: SqsReading,
): RecordSource<SQSRecord, SqsRequest<unknown, TUnwrapped>> {
  return {
    factory: 'sqs',
    source: 'sqs',
    kinds: ['aws:sqs'],
    records: ({ Records }: SQSEvent) => Records,
    // What is not text cannot be listed.
    idOf: ({ messageId }) => asString(messageId),
    request: (record, id, batch) => SqsRequest.of(record, { id, batch, reading }),
    prepare: (request) => request.prepare(),
    lanes: sqsLanes,
    afterCare: sqsAfterCare,
    answer: sqsAnswer,
  }
}

const sqsAnswer: RecordAnswer<SQSRecord> = {
  ...eachFailure,
  from: (results, { ids }, logger) => listFailures(results, ids, logger),
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
export class SqsBatch<TUnwrapped = unknown> extends RecordBatch<SqsRequest<unknown, TUnwrapped>> {
  declare readonly kind: 'sqs-batch'
  declare readonly source: 'sqs'
  declare readonly raw: SQSEvent
  declare readonly Records: readonly SQSRecord[]

  /** @internal */
  static reader<TUnwrap extends Unwrap = Unwrap>(
    options: SqsBatchOptions<TUnwrap>,
  ): (event: unknown, context: Context) => SqsBatch<UnwrappedAs<TUnwrap>> {
    const { body = 'json', unwrap = false, resolvePayload } = options
    const source = sqsSource<UnwrappedAs<TUnwrap>>({ body, unwrap, resolvePayload })
    return (event, context) => new SqsBatch(source, event, context)
  }

  /** The records' ids, kept from before any handler could change the event. */
  get messageIds(): readonly string[] {
    return this.ids
  }

  /** The data of all records; parsing stops at the first that is malformed. */
  get data(): unknown[] {
    return this.requests.map(({ data }) => data)
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
export function sqsBatch<TUnwrap extends Unwrap = Unwrap>(
  event: unknown,
  context: Context,
  options: SqsBatchOptions<TUnwrap> = {},
): SqsBatch<UnwrappedAs<TUnwrap>> {
  return SqsBatch.reader(options)(event, context)
}
