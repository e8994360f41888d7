import type { MSKRecord } from 'aws-lambda'
import { emptyMap } from '../core/record.ts'
import { BodyRequest, type BodyRequestParts } from './records/body-request.ts'

/** A record of Kafka. Keys and values are in base64, the bytes of headers are numbers, of which those above 127 are negative. */
export interface KafkaRecord extends Omit<MSKRecord, 'key' | 'value' | 'partition' | 'headers'> {
  readonly key?: string | null
  readonly value?: string | null
  readonly partition: number | string
  readonly headers?: readonly Readonly<Record<string, readonly number[] | string | null>>[] | null
}

/**
 * One record of a Kafka topic, as a request.
 *
 * @example
 * ```ts
 * import { type KafkaRequest, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(async ({ topic, key, data, isTombstone }: KafkaRequest) => {
 *   console.log(topic, key, isTombstone ? 'is gone' : data)
 * })
 * ```
 */
export class KafkaRequest<TData = unknown> extends BodyRequest<KafkaRecord, TData> {
  readonly kind = 'kafka'
  readonly source = 'kafka'
  #headers: Record<string, string> | undefined

  /** @internal */
  static of(record: KafkaRecord, parts: BodyRequestParts<KafkaRecord>): KafkaRequest {
    return new KafkaRequest(record, parts)
  }

  protected override get sent(): Buffer {
    return Buffer.from(this.record.value ?? '', 'base64')
  }

  /** A tombstone has no data. */
  protected override read(): unknown {
    return this.isTombstone ? undefined : super.read()
  }

  /** Whether the record has no value, which in a compacted topic removes its key. Its `data` is `undefined`. */
  get isTombstone(): boolean {
    return (this.record.value ?? undefined) === undefined
  }

  get topic(): string {
    return this.record.topic
  }

  get partition(): number {
    return Number(this.record.partition)
  }

  get offset(): bigint {
    return BigInt(this.record.offset)
  }

  get timestamp(): Date {
    return new Date(this.record.timestamp)
  }

  /** The key as text; none of a record without one. */
  get key(): string | undefined {
    return this.#keyBytes?.toString()
  }

  /** Gives the key as it is, also where it is no text. */
  get keyBytes(): () => Uint8Array | undefined {
    return () => this.#keyBytes
  }

  get #keyBytes(): Buffer | undefined {
    const { key } = this.record
    return typeof key === 'string' ? Buffer.from(key, 'base64') : undefined
  }

  /** The headers as text, of those with one name the last; no prototype. */
  get headers(): Record<string, string> {
    if (this.#headers !== undefined) return this.#headers
    const headers = emptyMap<string>()
    for (const [name, bytes] of recordHeaders(this.record)) headers[name] = bytes.toString()
    return (this.#headers = headers)
  }

  /** Gives all headers of a name, in order. */
  get headerValues(): (name: string) => Uint8Array[] {
    return (name) => recordHeaders(this.record).flatMap(([each, bytes]) => (each === name ? [bytes] : []))
  }
}

function recordHeaders({ headers }: KafkaRecord): (readonly [name: string, bytes: Buffer])[] {
  return (headers ?? [])
    .flatMap((header) => Object.entries(header))
    .flatMap(([name, value]) => (value === null ? [] : [[name, headerBytes(value)] as const]))
}

/** Some emulators send base64. */
function headerBytes(value: readonly number[] | string): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from(value)
}
