import type * as sdk from '@aws-sdk/client-sqs'
import { ConfigurationError } from '../errors/index.ts'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import type { ClientOption } from './client.ts'
import { type Port, type Service, portTo, service } from './port.ts'

/** The service of queues. */
export const sqs: Service<typeof sdk> = service(
  lazyImport('@aws-sdk/client-sqs', () => import('@aws-sdk/client-sqs').catch(atRunTime)),
  ({ SQSClient }, config) => new SQSClient(config),
)

/** Whether it has the form of a queue's URL. A name or an ARN has not. */
export function isQueueUrl(text: unknown): boolean {
  return typeof text === 'string' && /^https?:\/\/[^/\s]+\/\S+$/.test(text)
}

/**
 * Where calls about a queue go. The process has one client per region, because a request must be signed for the region of
 * its queue.
 *
 * @throws ConfigurationError for what is not the URL of a queue
 */
export function queuePort(queueUrl: string, client: ClientOption | undefined): Port<typeof sdk> {
  if (!isQueueUrl(queueUrl))
    throw new ConfigurationError(
      `A queue is named by its URL, https://sqs.eu-central-1.amazonaws.com/123456789012/orders, and not by "${queueUrl}"`,
    )
  return portTo(sqs, { client, region: regionOfQueue(queueUrl) })
}

/**
 * The region in the URL of a queue. Knows the hosts of all partitions, of VPC endpoints, and of emulators that name
 * their hosts as AWS does. Gives `undefined` for other hosts.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
 */
export function regionOfQueue(queueUrl: string): string | undefined {
  const host = /^https?:\/\/([^/:]+)/.exec(queueUrl)?.[1] ?? ''
  if (host === 'queue.amazonaws.com') return 'us-east-1' // This host is older than the regions.
  const found = /(?:^|\.)sqs(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\.|^([a-z]+(?:-[a-z]+)+-\d+)\.queue\./.exec(
    host,
  )
  return found?.[1] ?? found?.[2]
}
