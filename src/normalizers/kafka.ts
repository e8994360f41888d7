import type { MSKEvent, MSKRecord } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { asRecord, asString, emptyMap } from '../core/record.ts'
import { lowestFailure } from './records/answers.ts'
import { BodyRequest, type BodyRequestParts, type RecordBody, isRecordBody } from './records/body-request.ts'
import { lanesByKey } from './records/lanes.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'

/** A record of Kafka. Keys and values are in base64, the bytes of headers are numbers, of which those above 127 are negative. */
export interface KafkaRecord extends Omit<MSKRecord, 'key' | 'value' | 'partition' | 'headers'> {
  readonly key?: string | null
  readonly value?: string | null
  readonly partition: number | string
  readonly headers?: readonly Readonly<Record<string, readonly number[] | string | null>>[] | null
}

/** Options of {@link kafka}. */
export interface KafkaOptions {
  /** What the values are. @default 'json' */
  readonly body?: RecordBody<KafkaRecord>
  /** Told of every failed record, by its id and never its value. @default console */
  readonly logger?: Logger
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

/** The partition as Lambda's events and answers call it. The record tells: a topic's name may have dashes. */
function topicPartitionOf(record: unknown): string {
  const { topic, partition } = asRecord(record) ?? {}
  return `${String(topic)}-${String(partition)}`
}

/**
 * Turns an event of MSK or of a Kafka cluster of one's own into a batch for `eachRecord()`. Records of one partition are
 * worked in order, partitions beside each other. The answer names the lowest offset of each partition that is not done;
 * Lambda takes it only from a mapping with `ReportBatchItemFailures`, which needs provisioned pollers.
 *
 * @throws InvalidEventError if it is another event
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { kafka } from 'clearskies-middy/normalizers/kafka'
 *
 * export const handler = middy()
 *   .use(kafka())
 *   .handler(eachRecord(async ({ topic, key, data }) => {
 *     console.log(topic, key, data)
 *   }))
 * ```
 */
export function kafka(options: KafkaOptions = {}): Middleware<RecordBatch<KafkaRequest>> {
  checkOptions('kafka', options, { body: isRecordBody, logger: isLogger })
  const { body = 'json', logger } = options
  const source: RecordSource<KafkaRecord, KafkaRequest> = {
    factory: 'kafka',
    source: 'kafka',
    kinds: ['kafka'],
    records: ({ records }: MSKEvent) => Object.values(records).flat(),
    idOf: (record) => `${topicPartitionOf(record)}-${String(record['offset'])}`,
    identifierOf(record) {
      const offset = /^\d+$/.test(String(record['offset'])) ? Number(record['offset']) : NaN
      // A number that is rounded would name another record.
      const isNamed = asString(record['topic']) !== undefined && Number.isSafeInteger(offset)
      return isNamed ? { partition: topicPartitionOf(record), offset } : undefined
    },
    request: (record, id, batch) => KafkaRequest.of(record, { id, batch, body }),
    prepare: (request) => request.prepare(),
    lanes: ({ Records }) => ({ lanes: lanesByKey(Records, topicPartitionOf) }),
    answer: lowestFailure,
  }
  return normalizesRecords((event, context) => RecordBatch.read(source, event, context), logger)
}
