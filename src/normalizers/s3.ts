import type { S3Event, S3EventRecord } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { asRecord, asString } from '../core/record.ts'
import { whole } from './records/answers.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { ParsedRequest, type ParsedRequestParts } from './records/parsed-request.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'
import { decodeKey } from './records/s3-key.ts'

/** Options of {@link s3}. */
export interface S3Options {
  /** Told of every failed record where several fail, by its id. @default console */
  readonly logger?: Logger
}

/** An object of S3, as far as its event tells. */
export interface S3Object {
  readonly bucket: string
  /** Decoded. */
  readonly key: string
  /** Bytes. */
  readonly size?: number
  readonly eTag?: string
  readonly versionId?: string
}

/**
 * What happened to one object of a bucket, as a request.
 *
 * @example
 * ```ts
 * import { type S3Request, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(async ({ eventName, bucket, key }: S3Request) => {
 *   console.log(eventName, bucket, key)
 * })
 * ```
 */
export class S3Request<TData = S3Object> extends ParsedRequest<S3EventRecord, TData> {
  readonly kind = 's3'
  readonly source = 's3'

  /** @internal */
  static of(record: S3EventRecord, parts: ParsedRequestParts): S3Request {
    return new S3Request(record, parts)
  }

  protected override read(): S3Object {
    const { bucket, key, size, eTag, versionId } = this
    return {
      ...{ bucket, key },
      ...(size !== undefined && { size }),
      ...(eTag !== undefined && { eTag }),
      ...(versionId !== undefined && { versionId }),
    }
  }

  /** What happened, without `s3:` in front: `ObjectCreated:Put`. */
  get eventName(): string {
    return this.record.eventName
  }

  get bucket(): string {
    return this.record.s3.bucket.name
  }

  /** Decoded once. An event has it encoded as a form does. */
  get key(): string {
    return decodeKey(this.record.s3.object.key)
  }

  /** Bytes; none of an object that was removed. */
  get size(): number | undefined {
    return this.#object.size ?? undefined
  }

  get eTag(): string | undefined {
    return this.#object.eTag ?? undefined
  }

  /** Only in a bucket with versions. */
  get versionId(): string | undefined {
    return this.#object.versionId ?? undefined
  }

  /** Hexadecimal. Of two events of one key the later has the greater one, once the shorter is filled with zeros on the left. */
  get sequencer(): string | undefined {
    return this.#object.sequencer ?? undefined
  }

  get occurredAt(): Date {
    return new Date(this.record.eventTime)
  }

  get #object(): ObjectFields {
    return this.record.s3.object
  }
}

/** Not every event has all of them. */
interface ObjectFields {
  readonly size?: number | null
  readonly eTag?: string | null
  readonly versionId?: string | null | undefined
  readonly sequencer?: string | null
}

const s3Source: RecordSource<S3EventRecord, S3Request> = {
  factory: 's3',
  source: 's3',
  kinds: ['aws:s3'],
  // The message with which S3 tries a new notification has no records.
  records: ({ Records }: Partial<S3Event>) => Records ?? [],
  idOf({ s3 }) {
    const { bucket, object } = asRecord(s3) ?? {}
    const { key, sequencer } = asRecord(object) ?? {}
    const parts = [asString(asRecord(bucket)?.['name']), decodeKey(asString(key) ?? ''), asString(sequencer)]
    return parts.every(Boolean) ? parts.join('/') : undefined
  },
  request: (record, id, batch) => S3Request.of(record, { id, batch }),
  prepare: (request) => request.prepare(),
  answer: whole,
}

/**
 * Turns an S3 event notification into a batch for `eachRecord()`. All records are worked; if some fail, the invocation
 * fails with the one error, or with an `AggregateError` of all, so that Lambda tries again, twice. S3's test message is
 * done without a call.
 *
 * @throws InvalidEventError if it is another event
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { s3 } from 'clearskies-middy/normalizers/s3'
 *
 * export const handler = middy()
 *   .use(s3())
 *   .handler(eachRecord(async ({ bucket, key, size }) => {
 *     console.log(bucket, key, size)
 *   }))
 * ```
 */
export function s3(options: S3Options = {}): Middleware<RecordBatch<S3Request>> {
  checkOptions('s3', options, { logger: isLogger })
  return normalizesRecords((event, context) => RecordBatch.read(s3Source, event, context), options.logger)
}
