import type { S3EventRecord } from 'aws-lambda'
import { ParsedRequest, type ParsedRequestParts } from './records/parsed-request.ts'
import { decodeKey } from './records/s3-key.ts'

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
