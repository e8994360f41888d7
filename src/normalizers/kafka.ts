import type { MSKEvent } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { asRecord, asString } from '../core/record.ts'
import { lowestFailure } from './records/answers.ts'
import { type RecordBody, isRecordBody } from './records/body-request.ts'
import { lanesByKey } from './records/lanes.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'
import { type KafkaRecord, KafkaRequest } from './kafka-request.ts'

export { type KafkaRecord, KafkaRequest } from './kafka-request.ts'

/** Options of {@link kafka}. */
export interface KafkaOptions {
  /** What the values are. @default 'json' */
  readonly body?: RecordBody<KafkaRecord>
  /** Told of every failed record, by its id and never its value. @default console */
  readonly logger?: Logger
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
