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
