import type * as sdk from '@aws-sdk/client-sqs'
import { type AwsClient, ownClients } from './client.ts'
import { atRunTime, lazyImport } from '../core/optional-import.ts'

/** The commands and the client, loaded when they are first needed. */
export const loadSqsSdk: () => Promise<typeof sdk> = lazyImport('@aws-sdk/client-sqs', () =>
  import('@aws-sdk/client-sqs').catch(atRunTime),
)

const ownClient = ownClients(async (config) => new (await loadSqsSdk()).SQSClient(config))

/**
 * The process's client for a queue. One per region, because a request is signed for the client's region and sent to the
 * queue's.
 */
export function clientFor(queueUrl: string): Promise<AwsClient> {
  return ownClient(regionOf(queueUrl))
}

/**
 * The region in a queue's address, in any partition, of a VPC endpoint and of an emulator that names its hosts as AWS does;
 * none for other hosts.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
 */
export function regionOf(queueUrl: string): string | undefined {
  const host = /^https?:\/\/([^/:]+)/.exec(queueUrl)?.[1] ?? ''
  if (host === 'queue.amazonaws.com') return 'us-east-1' // The one that is older than regions.
  const found = /(?:^|\.)sqs(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\.|^([a-z]+(?:-[a-z]+)+-\d+)\.queue\./.exec(
    host,
  )
  return found?.[1] ?? found?.[2]
}
