/** A partition of AWS: the regions that it has, and the domains of its services. */
export interface Partition {
  readonly name: string
  readonly regions: RegExp
  readonly domain: string
  /** The domain of hosts that have an IPv6 address, too. */
  readonly dualStack: string
}

/** The default for what no other partition has. */
const commercial: Partition = {
  name: 'aws',
  regions: /^/,
  domain: 'amazonaws.com',
  dualStack: 'api.aws',
}

/** The table of the AWS SDK. */
const partitions: readonly Partition[] = [
  {
    name: 'aws-cn',
    regions: /^cn-\w+-\d+$/,
    domain: 'amazonaws.com.cn',
    dualStack: 'api.amazonwebservices.com.cn',
  },
  {
    name: 'aws-eusc',
    regions: /^eusc-\w+-\w+-\d+$/,
    domain: 'amazonaws.eu',
    dualStack: 'api.amazonwebservices.eu',
  },
  { name: 'aws-iso', regions: /^us-iso-\w+-\d+$/, domain: 'c2s.ic.gov', dualStack: 'api.aws.ic.gov' },
  { name: 'aws-iso-b', regions: /^us-isob-\w+-\d+$/, domain: 'sc2s.sgov.gov', dualStack: 'api.aws.scloud' },
  {
    name: 'aws-iso-e',
    regions: /^eu-isoe-\w+-\d+$/,
    domain: 'cloud.adc-e.uk',
    dualStack: 'api.cloud-aws.adc-e.uk',
  },
  {
    name: 'aws-iso-f',
    regions: /^us-isof-\w+-\d+$/,
    domain: 'csp.hci.ic.gov',
    dualStack: 'api.aws.hci.ic.gov',
  },
  { name: 'aws-us-gov', regions: /^us-gov-\w+-\d+$/, domain: 'amazonaws.com', dualStack: 'api.aws' },
]

/** The partition of a name, else that of a region. */
export function partitionOf(region: string, named?: string): Partition {
  return (
    partitions.find(({ name }) => name === named) ??
    partitions.find(({ regions }) => regions.test(region)) ??
    commercial
  )
}
