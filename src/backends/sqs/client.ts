import type * as sdk from '@aws-sdk/client-sqs'
import type { AwsClient } from '../../aws-client.ts'
import { optionalImport } from '../../optional-import.ts'

/** The commands and the client, loaded when they are first needed. */
export const loadSqsSdk = (): Promise<typeof sdk> =>
  optionalImport('@aws-sdk/client-sqs', () => import('@aws-sdk/client-sqs'))

const clients = new Map<string | undefined, Promise<AwsClient>>()

/**
 * The process's client for a queue. One per region, because a request is signed for the client's region and sent to the
 * queue's.
 */
export function clientFor(queueUrl: string): Promise<AwsClient> {
  const region = regionOf(queueUrl)
  let client = clients.get(region)
  if (client === undefined) {
    client = loadSqsSdk().then(({ SQSClient }) => new SQSClient(region === undefined ? {} : { region }))
    clients.set(region, client)
    client.catch(() => clients.delete(region))
  }
  return client
}

/** The region in a queue's address, in any partition and of a VPC endpoint; none for other hosts. */
export function regionOf(queueUrl: string): string | undefined {
  const host = /^https?:\/\/([^/:]+)/.exec(queueUrl)?.[1] ?? ''
  if (
    !/\.(?:amazonaws\.com(?:\.cn)?|c2s\.ic\.gov|sc2s\.sgov\.gov|api\.aws|amazonwebservices\.com\.cn)$/.test(
      host,
    )
  )
    return undefined
  return /(?:^|[.-])([a-z]{2}(?:-[a-z]+)+-\d)(?=\.)/.exec(host)?.[1]
}
