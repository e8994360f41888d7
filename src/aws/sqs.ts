import type * as sdk from '@aws-sdk/client-sqs'
import { regionOfQueue } from '../clients/light/queue-region.ts'
import { ConfigurationError } from '../errors/index.ts'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import type { ClientOption } from './client.ts'
import { type Port, type Service, portTo, service } from './port.ts'

/** The service of queues. */
export const sqs: Service<typeof sdk> = service(
  'sqs',
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
