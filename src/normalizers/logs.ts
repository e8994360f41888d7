import type { CloudWatchLogsDecodedData, CloudWatchLogsEvent, CloudWatchLogsLogEvent } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isCount, isLogger } from '../core/options.ts'
import { asString } from '../core/record.ts'
import { InvalidEventError } from '../errors/index.ts'
import { whole } from './records/answers.ts'
import { BodyRequest, type BodyRequestParts } from './records/body-request.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'

/** Options of {@link logs}. */
export interface LogsOptions {
  /** Bytes that an event may unpack to; beyond, the invocation fails. A megabyte of zeros packs to a kilobyte. @default 10_485_760 */
  readonly maxBytes?: number
  /** Told of every failed record where several fail, by its id and never its message. @default console */
  readonly logger?: Logger
}

/** One line of a log, with what the event says of all its lines. */
export interface LogRecord
  extends CloudWatchLogsLogEvent, Omit<CloudWatchLogsDecodedData, 'messageType' | 'logEvents'> {}

/**
 * One line of a log group, as a request.
 *
 * @example
 * ```ts
 * import { type LogsRequest, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(async ({ logGroup, timestamp, data }: LogsRequest) => {
 *   console.log(logGroup, timestamp, data)
 * })
 * ```
 */
export class LogsRequest<TData = unknown> extends BodyRequest<LogRecord, TData> {
  readonly kind = 'logs'
  readonly source = 'logs'

  /** @internal */
  static of(record: LogRecord, parts: BodyRequestParts<LogRecord>): LogsRequest {
    return new LogsRequest(record, parts)
  }

  protected override get sent(): string {
    return this.record.message
  }

  /** The line as it was written. */
  get message(): string {
    return this.record.message
  }

  get logGroup(): string {
    return this.record.logGroup
  }

  get logStream(): string {
    return this.record.logStream
  }

  get timestamp(): Date {
    return new Date(this.record.timestamp)
  }
}

/** @throws InvalidEventError for what is not packed, is not JSON, or is larger than the limit */
function unpackedLines({ awslogs }: CloudWatchLogsEvent, maxOutputLength: number): readonly LogRecord[] {
  try {
    const { gunzipSync } = process.getBuiltinModule('node:zlib')
    const text = gunzipSync(Buffer.from(awslogs.data, 'base64'), { maxOutputLength }).toString()
    const { messageType, logEvents, ...shared } = JSON.parse(text) as CloudWatchLogsDecodedData
    // With it CloudWatch Logs tries whether the function can be reached.
    return messageType === 'CONTROL_MESSAGE' ? [] : logEvents.map((line) => ({ ...shared, ...line }))
  } catch (error) {
    const found =
      error instanceof RangeError ? `unpacks to more than ${maxOutputLength} bytes` : 'is not JSON in gzip'
    throw new InvalidEventError('CloudWatch Logs', ['CloudWatch Logs'], `logs(): the event ${found}`)
  }
}

/**
 * Turns what a subscription of CloudWatch Logs sends into a batch for `eachRecord()`: unpacked, one request a line. All
 * lines are worked; if some fail, the invocation fails with the one error, or with an `AggregateError` of all, so that
 * Lambda tries again, twice. Control messages are done without a call.
 *
 * @throws InvalidEventError if it is another event, or unpacks to more than `maxBytes`
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { logs } from 'clearskies-middy/normalizers/logs'
 *
 * export const handler = middy()
 *   .use(logs())
 *   .handler(eachRecord(async ({ logGroup, timestamp, data }) => {
 *     console.log(logGroup, timestamp, data)
 *   }))
 * ```
 */
export function logs(options: LogsOptions = {}): Middleware<RecordBatch<LogsRequest>> {
  checkOptions('logs', options, { maxBytes: isSize, logger: isLogger })
  const { maxBytes = 10_485_760, logger } = options
  const source: RecordSource<LogRecord, LogsRequest> = {
    factory: 'logs',
    source: 'logs',
    kinds: ['cloudwatch-logs'],
    records: (event: CloudWatchLogsEvent) => unpackedLines(event, maxBytes),
    idOf: ({ id }) => asString(id),
    request: (record, id, batch) => LogsRequest.of(record, { id, batch, body: 'auto' }),
    prepare: (request) => request.prepare(),
    answer: whole,
  }
  return normalizesRecords((event, context) => RecordBatch.read(source, event, context), logger)
}

function isSize(value: unknown): boolean {
  return isCount(value) && value !== 0
}
