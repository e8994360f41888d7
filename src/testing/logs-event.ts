import { gzipSync } from 'node:zlib'
import type { CloudWatchLogsDecodedData, CloudWatchLogsEvent } from 'aws-lambda'
import { toText } from './described-data.ts'
import { accountId } from './described-request.ts'

/** A line of a log, as a test describes it. */
export interface DescribedLine {
  /** Text as it is, anything else as JSON. */
  readonly message: unknown
  readonly id?: string
  readonly timestamp?: Date
}

/** Options of {@link logsEvent}. */
export interface LogsEventOptions {
  /** @default '/aws/lambda/orders' */
  readonly logGroup?: string
  /** @default '2026/03/10/[$LATEST]0000' */
  readonly logStream?: string
}

/**
 * The event that a subscription of CloudWatch Logs sends of lines: packed.
 *
 * @example
 * ```ts
 * import { logsEvent } from 'clearskies-middy/testing'
 *
 * export const event = logsEvent([{ message: { level: 'error', orderId: '7' } }, { message: 'plain text' }])
 * ```
 */
export function logsEvent(
  lines: readonly DescribedLine[],
  { logGroup = '/aws/lambda/orders', logStream = '2026/03/10/[$LATEST]0000' }: LogsEventOptions = {},
): CloudWatchLogsEvent {
  const data: CloudWatchLogsDecodedData = {
    messageType: 'DATA_MESSAGE',
    owner: accountId,
    logGroup,
    logStream,
    subscriptionFilters: ['all'],
    logEvents: lines.map(({ message, id, timestamp }, index) => ({
      id: id ?? String(37_000_000_000_000_000_000_000_000n + BigInt(index)).padStart(56, '0'),
      timestamp: timestamp?.getTime() ?? 1_773_100_000_000 + index,
      message: toText(message),
    })),
  }
  return { awslogs: { data: gzipSync(JSON.stringify(data)).toString('base64') } }
}
