import type { KinesisStreamEvent, KinesisStreamRecord } from 'aws-lambda'
import { toBase64 } from './described-data.ts'
import { accountId, region } from './described-request.ts'

/** A record of a Kinesis stream, as its producer describes it. */
export interface DescribedKinesisRecord {
  /** Bytes and text as they are, anything else as JSON. */
  readonly data: unknown
  /** @default 'key' */
  readonly partitionKey?: string
  /** @default greater with every record of the event */
  readonly sequenceNumber?: string
  readonly arrivedAt?: Date
}

/** Options of {@link kinesisEvent}. */
export interface KinesisEventOptions {
  /** @default a stream called `orders` */
  readonly streamArn?: string
  /** @default 'shardId-000000000000' */
  readonly shardId?: string
}

/**
 * The event that Lambda makes of records of a shard.
 *
 * @example
 * ```ts
 * import { kinesisEvent } from 'clearskies-middy/testing'
 *
 * export const event = kinesisEvent([{ partitionKey: 'customer-9', data: { orderId: '7' } }])
 * ```
 */
export function kinesisEvent(
  records: readonly DescribedKinesisRecord[],
  {
    streamArn = `arn:aws:kinesis:${region}:${accountId}:stream/orders`,
    shardId = 'shardId-000000000000',
  }: KinesisEventOptions = {},
): KinesisStreamEvent {
  const place = { streamArn, shardId }
  return { Records: records.map((record, index) => toRecord(record, index, place)) }
}

/** As long as those of Kinesis. */
const firstNumber = 49_671_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000n

function toRecord(
  { data, partitionKey = 'key', sequenceNumber, arrivedAt }: DescribedKinesisRecord,
  index: number,
  { streamArn, shardId }: Required<KinesisEventOptions>,
): KinesisStreamRecord {
  const number = sequenceNumber ?? String(firstNumber + BigInt(index))
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey,
      sequenceNumber: number,
      data: toBase64(data),
      // Seconds, with a fraction.
      approximateArrivalTimestamp: (arrivedAt?.getTime() ?? 1_773_100_000_000 + index) / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${number}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::${accountId}:role/worker`,
    awsRegion: streamArn.split(':')[3] ?? region,
    eventSourceARN: streamArn,
  }
}
