import type * as sdk from '@aws-sdk/client-sqs'
import { type AwsClient, ownClients } from './client.ts'
import { atRunTime, lazyImport } from '../core/optional-import.ts'

/** Loads the commands and the client when they are first needed. */
export const loadSqsSdk: () => Promise<typeof sdk> = lazyImport('@aws-sdk/client-sqs', () =>
  import('@aws-sdk/client-sqs').catch(atRunTime),
)

const ownClient = ownClients(async (config) => new (await loadSqsSdk()).SQSClient(config))

/**
 * The client for a queue. The process has one per region, because a request must be signed for the region of its queue.
 */
export function clientFor(queueUrl: string): Promise<AwsClient> {
  return ownClient(regionOf(queueUrl))
}

/**
 * The region in the URL of a queue. Knows the hosts of all partitions, of VPC endpoints, and of emulators that name
 * their hosts as AWS does. Gives `undefined` for other hosts.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
 */
export function regionOf(queueUrl: string): string | undefined {
  const host = /^https?:\/\/([^/:]+)/.exec(queueUrl)?.[1] ?? ''
  if (host === 'queue.amazonaws.com') return 'us-east-1' // This host is older than the regions.
  const found = /(?:^|\.)sqs(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\.|^([a-z]+(?:-[a-z]+)+-\d+)\.queue\./.exec(
    host,
  )
  return found?.[1] ?? found?.[2]
}
