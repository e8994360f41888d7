/** A partition of AWS: the regions that it has, and the domain of its services. */
interface Partition {
  readonly regions: RegExp
  readonly domain: string
}

const commercial = 'amazonaws.com'

/** The table of the AWS SDK, whose default is the commercial partition. */
const partitions: Readonly<Record<string, Partition>> = {
  'aws-cn': { regions: /^cn-\w+-\d+$/, domain: 'amazonaws.com.cn' },
  'aws-eusc': { regions: /^eusc-\w+-\w+-\d+$/, domain: 'amazonaws.eu' },
  'aws-iso': { regions: /^us-iso-\w+-\d+$/, domain: 'c2s.ic.gov' },
  'aws-iso-b': { regions: /^us-isob-\w+-\d+$/, domain: 'sc2s.sgov.gov' },
  'aws-iso-e': { regions: /^eu-isoe-\w+-\d+$/, domain: 'cloud.adc-e.uk' },
  'aws-iso-f': { regions: /^us-isof-\w+-\d+$/, domain: 'csp.hci.ic.gov' },
  'aws-us-gov': { regions: /^us-gov-\w+-\d+$/, domain: commercial },
}

/** The host name of a service in a region. An ARN tells the partition, too; else the region tells it. */
export function serviceHost(service: string, region: string, partition = ''): string {
  const known = Object.hasOwn(partitions, partition) ? partitions[partition] : undefined
  const { domain = commercial } =
    known ?? Object.values(partitions).find(({ regions }) => regions.test(region)) ?? {}
  return `${service}.${region}.${domain}`
}
