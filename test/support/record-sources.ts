// Every source of records, for tests that run over all of them.
import { dynamodbStream, firehose, kafka, kinesis, logs, s3, sns, sqs } from 'clearskies-middy'
import {
  dynamodbStreamEvent,
  firehoseEvent,
  kafkaEvent,
  kinesisEvent,
  logsEvent,
  s3Event,
  snsEvent,
  sqsEvent,
} from 'clearskies-middy/testing'

/** A record of a test: its number, and the key in which it has an order where its source keeps one. */
export interface NumberedRecord {
  readonly n: number
  readonly key: string
}

/** A source, and what a test has to know of it. */
export interface TestedSource {
  readonly make: (logger: { error(...words: unknown[]): void; warn(): void }) => unknown
  readonly event: (records: readonly NumberedRecord[]) => unknown
  /** The number of a request's record. */
  readonly numberOf: (request: never) => number
  /** Whether records of one key have an order. */
  readonly hasOrder?: true
  /** Whether all that is behind the first failure comes again. */
  readonly repeatsRest?: true
  /** The numbers that an answer lists as not done; none of a source whose invocation fails. */
  readonly listed?: (answer: never) => number[]
  /** Of the failed records, those that the answer has to list. */
  readonly toList?: (failed: readonly NumberedRecord[]) => readonly NumberedRecord[]
}

interface FailureList<T> {
  readonly batchItemFailures: readonly { readonly itemIdentifier: T }[]
}

const numbersOf = ({ batchItemFailures }: FailureList<string>): number[] =>
  batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier))

/** The lowest of each group. */
function lowestOf(
  records: readonly NumberedRecord[],
  groupOf: (record: NumberedRecord) => string,
): NumberedRecord[] {
  return [...Map.groupBy(records, groupOf).values()].map((group) =>
    group.reduce((lowest, record) => (record.n < lowest.n ? record : lowest)),
  )
}

const lowest = (records: readonly NumberedRecord[]): NumberedRecord[] => lowestOf(records, () => '')
const numberInData = ({ data }: { readonly data: { readonly n: number } }): number => data.n

export const recordSources: Readonly<Record<string, TestedSource>> = {
  sqs: {
    make: (logger) => sqs({ logger }),
    event: (records) =>
      sqsEvent(records.map(({ n, key }) => ({ messageId: String(n), body: { n }, groupId: key }))),
    numberOf: numberInData,
    listed: numbersOf,
  },
  'sqs, FIFO': {
    make: (logger) => sqs({ logger }),
    event: (records) =>
      sqsEvent(
        records.map(({ n, key }) => ({ messageId: String(n), body: { n }, groupId: key })),
        { queueArn: 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo' },
      ),
    numberOf: numberInData,
    hasOrder: true,
    listed: numbersOf,
  },
  kinesis: {
    make: (logger) => kinesis({ logger }),
    event: (records) =>
      kinesisEvent(
        records.map(({ n, key }) => ({ data: { n }, partitionKey: key, sequenceNumber: String(n) })),
      ),
    numberOf: numberInData,
    hasOrder: true,
    repeatsRest: true,
    listed: numbersOf,
    toList: lowest,
  },
  dynamodbStream: {
    make: (logger) => dynamodbStream({ logger }),
    event: (records) =>
      dynamodbStreamEvent(
        records.map(({ n, key }) => ({
          keys: { id: key },
          newItem: { id: key, n },
          sequenceNumber: String(n),
        })),
      ),
    numberOf: numberInData,
    hasOrder: true,
    repeatsRest: true,
    listed: numbersOf,
    toList: lowest,
  },
  kafka: {
    make: (logger) => kafka({ logger }),
    event: (records) => kafkaEvent(records.map(({ n, key }) => ({ value: { n }, topic: key, offset: n }))),
    numberOf: numberInData,
    hasOrder: true,
    listed: ({ batchItemFailures }: FailureList<{ readonly offset: number }>) =>
      batchItemFailures.map(({ itemIdentifier: { offset } }) => offset),
    toList: (records) => lowestOf(records, ({ key }) => key),
  },
  firehose: {
    make: (logger) => firehose({ logger }),
    event: (records) => firehoseEvent(records.map(({ n }) => ({ recordId: String(n), data: { n } }))),
    numberOf: numberInData,
    listed: ({
      records,
    }: {
      readonly records: readonly { readonly recordId: string; readonly result: string }[]
    }) =>
      records.flatMap(({ recordId, result }) => (result === 'ProcessingFailed' ? [Number(recordId)] : [])),
  },
  sns: {
    make: (logger) => sns({ logger }),
    event: (records) => snsEvent(records.map(({ n }) => ({ messageId: String(n), message: { n } }))),
    numberOf: numberInData,
  },
  s3: {
    make: (logger) => s3({ logger }),
    event: (records) => s3Event(records.map(({ n }) => ({ key: String(n) }))),
    numberOf: ({ key }: { readonly key: string }) => Number(key),
  },
  logs: {
    make: (logger) => logs({ logger }),
    event: (records) => logsEvent(records.map(({ n }) => ({ id: String(n), message: { n } }))),
    numberOf: numberInData,
  },
}
