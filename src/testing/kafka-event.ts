import type { MSKEvent, SelfManagedKafkaEvent } from 'aws-lambda'
import type { KafkaRecord } from '../normalizers/kafka.ts'
import { toBase64, toBytes } from './described-data.ts'
import { accountId, region } from './described-request.ts'

/** A record of Kafka, as its producer describes it. */
export interface DescribedKafkaRecord {
  /** Bytes and text as they are, anything else as JSON; `null` or nothing is a tombstone. */
  readonly value?: unknown
  /** Bytes or text. */
  readonly key?: string | Uint8Array
  /** @default 'orders' */
  readonly topic?: string
  /** @default 0 */
  readonly partition?: number
  /** @default greater with every record of the partition */
  readonly offset?: number
  readonly timestamp?: Date
  /** Bytes or text, by name; a list for a name that comes several times. */
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
}

type HeaderValue = string | Uint8Array

/** Options of {@link kafkaEvent}. */
export interface KafkaEventOptions {
  /** A cluster of MSK, or one of one's own. @default 'aws:kafka' */
  readonly eventSource?: 'aws:kafka' | 'SelfManagedKafka'
}

/** The event of a mapping to a Kafka cluster. */
export type KafkaEvent = (Omit<MSKEvent, 'records'> | Omit<SelfManagedKafkaEvent, 'records'>) & {
  /** By topic and partition: `orders-0`. */
  readonly records: Readonly<Record<string, readonly KafkaRecord[]>>
}

/**
 * The event that Lambda makes of records of Kafka, by topic and partition.
 *
 * @example
 * ```ts
 * import { kafkaEvent } from 'clearskies-middy/testing'
 *
 * export const event = kafkaEvent([{ key: 'customer-9', value: { orderId: '7' }, headers: { trace: 'ab' } }])
 * ```
 */
export function kafkaEvent(
  records: readonly DescribedKafkaRecord[],
  { eventSource = 'aws:kafka' }: KafkaEventOptions = {},
): KafkaEvent {
  const partitions = new Map<string, KafkaRecord[]>()
  for (const described of records) {
    const name = `${described.topic ?? 'orders'}-${described.partition ?? 0}`
    const partition = partitions.get(name) ?? []
    partitions.set(name, [...partition, toRecord(described, partition.length)])
  }
  const shared = {
    bootstrapServers: 'b-1.example.com:9098,b-2.example.com:9098',
    records: Object.fromEntries(partitions),
  }
  if (eventSource === 'SelfManagedKafka') return { eventSource, ...shared }
  return { eventSource, eventSourceArn: `arn:aws:kafka:${region}:${accountId}:cluster/shop/0000`, ...shared }
}

function toRecord(
  { value, key, topic = 'orders', partition = 0, offset, timestamp, headers = {} }: DescribedKafkaRecord,
  index: number,
): KafkaRecord {
  return {
    topic,
    partition,
    offset: offset ?? 815 + index,
    timestamp: timestamp?.getTime() ?? 1_773_100_000_000 + index,
    timestampType: 'CREATE_TIME',
    ...(key !== undefined && { key: toBase64(key) }),
    value: value === undefined || value === null ? null : toBase64(value),
    headers: Object.entries(headers).flatMap(([name, values]) =>
      // The bytes are signed.
      listOf(values).map((bytes) => ({ [name]: Array.from(new Int8Array(toBytes(bytes))) })),
    ),
  }
}

function listOf(values: HeaderValue | readonly HeaderValue[]): readonly HeaderValue[] {
  return typeof values === 'string' || values instanceof Uint8Array ? [values] : values
}
