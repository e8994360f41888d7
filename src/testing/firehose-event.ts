import type { FirehoseEvent } from '../normalizers/firehose.ts'
import { accountId, region } from './described-request.ts'
import { toBase64 } from './described-data.ts'

/** A record of Firehose, as a test describes it. */
export interface DescribedFirehoseRecord {
  /** Bytes and text as they are, anything else as JSON. */
  readonly data: unknown
  readonly recordId?: string
}

/** Options of {@link firehoseEvent}. */
export interface FirehoseEventOptions {
  /** @default a stream called `orders` */
  readonly deliveryStreamArn?: string
  /** Whether the stream reads from Kafka: then the records have their value under another name. @default false */
  readonly fromKafka?: boolean
}

/**
 * The event with which Firehose asks for records to be transformed.
 *
 * @example
 * ```ts
 * import { firehoseEvent } from 'clearskies-middy/testing'
 *
 * export const event = firehoseEvent([{ data: { orderId: '7' } }, { data: 'plain text' }])
 * ```
 */
export function firehoseEvent(
  records: readonly DescribedFirehoseRecord[],
  {
    deliveryStreamArn = `arn:aws:firehose:${region}:${accountId}:deliverystream/orders`,
    fromKafka = false,
  }: FirehoseEventOptions = {},
): FirehoseEvent {
  return {
    invocationId: '0b1e0000-0000-4000-8000-000000000001',
    deliveryStreamArn,
    region: deliveryStreamArn.split(':')[3] ?? region,
    records: records.map(({ data, recordId }, index) => ({
      recordId: recordId ?? `49650000000000000000${String(index).padStart(6, '0')}`,
      approximateArrivalTimestamp: 1_773_100_000_000 + index,
      [fromKafka ? 'kafkaRecordValue' : 'data']: toBase64(data),
    })),
  }
}
