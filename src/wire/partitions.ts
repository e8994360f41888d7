import { partitionOf } from '../clients/light/partitions.ts'

/** The host name of a service in a region. An ARN tells the partition, too; else the region tells it. */
export function serviceHost(service: string, region: string, partition?: string): string {
  return `${service}.${region}.${partitionOf(region, partition).domain}`
}

/** The region in an ARN. None where it is none of AWS's, as DynamoDB Local's. */
export function regionOfArn(arn: string): string | undefined {
  const [, , , region = ''] = arn.split(':')
  return /^[a-z]+(?:-[a-z]+)+-\d+$/.test(region) ? region : undefined
}
