import type { Origin } from './http.ts'
import { type Partition, partitionOf } from './partitions.ts'
import { regionOfQueue } from './queue-region.ts'
import { isRecord, variable } from './record.ts'
import type { ServiceWire } from './services.ts'
import { setupError } from './setup-error.ts'

/** Where a call goes, and what it is signed for. */
export interface Endpoint extends Origin {
  readonly path: string
  readonly region: string
}

/** What is asked of which service. */
interface EndpointCall {
  readonly wire: ServiceWire
  readonly operation: string
  readonly input: unknown
}

interface EndpointOptions {
  readonly region: string | undefined
  readonly endpoint: string | undefined
}

/** Whether a text is the address of an endpoint: nothing secret, no query. */
export function isEndpoint(text: unknown): boolean {
  const url = typeof text === 'string' ? URL.parse(text) : null
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ''
  )
}

/** Whether a text can be a part of a host's name. */
export function isRegion(text: unknown): boolean {
  return typeof text === 'string' && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text)
}

/** Finds where calls go: by the option, by variables, by the queue, by the region. */
export class Endpoints {
  readonly #options: EndpointOptions
  /** To take an address apart takes longer than all else here. */
  readonly #known = new Map<string, Endpoint>()

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** @throws ConfigurationError if the region is not known, or an address is none */
  async find({ wire, operation, input }: EndpointCall): Promise<Endpoint> {
    const region = await this.region()
    const given = this.#options.endpoint ?? endpointOfVariables(wire)
    if (given !== undefined) return this.#at(given, region)
    // The signature must be for the region of the queue, whatever that of the client is.
    const queue = wire.name === 'sqs' && isRecord(input) ? input['QueueUrl'] : undefined
    if (typeof queue === 'string' && URL.canParse(queue))
      return this.#at(new URL(queue).origin, regionOfQueue(queue) ?? region)
    return this.#at(`https://${await regionalHost(wire, operation, region)}`, region)
  }

  /** The region of calls. @throws ConfigurationError if it is not known */
  async region(): Promise<string> {
    const region = this.#options.region ?? variable('AWS_REGION') ?? (await regionOfFile())
    if (isRegion(region)) return region
    throw await setupError(`AWS_REGION is "${region}", which is the name of no region`)
  }

  async #at(address: string, region: string): Promise<Endpoint> {
    const name = `${region} ${address}`
    const known = this.#known.get(name)
    if (known !== undefined) return known
    if (!isEndpoint(address))
      throw await setupError(
        'The address of an endpoint is "https://host" or "http://host", with nothing secret in it',
      )
    const { protocol, hostname, port, host, pathname: path } = new URL(address)
    const isSecure = protocol === 'https:'
    const endpoint = {
      ...{ isSecure, host, path, region },
      // Brackets belong into addresses and into the header, and not to the name that is looked up.
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    }
    if (this.#known.size >= 100) this.#known.clear()
    this.#known.set(name, endpoint)
    return endpoint
  }
}

function endpointOfVariables({ endpointVariable }: ServiceWire): string | undefined {
  if (process.env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true') return undefined
  return variable(endpointVariable) ?? variable('AWS_ENDPOINT_URL')
}

/** The library's own `.env` file, which is read where the environment names no region. */
async function regionOfFile(): Promise<string> {
  const { regionFromFile, regionPlaces } = await import('../../invocation/region.ts')
  const region = regionFromFile()
  if (region !== undefined) return region
  throw await setupError(`No AWS region is set: give AWS_REGION in ${regionPlaces()}`)
}

/** Services whose hosts in GovCloud have FIPS endpoints of the plain name. */
const plainInGovCloud = /^(?:dynamodb|sqs|ssm)$/

/** @throws ConfigurationError for an endpoint of the account, which needs more than a region */
async function regionalHost({ name }: ServiceWire, operation: string, region: string): Promise<string> {
  if (name === 'dynamodb' && process.env['AWS_ACCOUNT_ID_ENDPOINT_MODE'] === 'required')
    throw await setupError(
      'AWS_ACCOUNT_ID_ENDPOINT_MODE is "required", and the light client knows no endpoints of accounts: use @aws-sdk/client-dynamodb',
    )
  const partition = partitionOf(region)
  const isFips = process.env['AWS_USE_FIPS_ENDPOINT'] === 'true'
  const isDualStack =
    process.env['AWS_USE_DUALSTACK_ENDPOINT'] === 'true' && !hasBoth(name, partition, isFips)
  const isPlain = partition.name === 'aws-us-gov' && !isDualStack && plainInGovCloud.test(name)
  const label = operation === 'SearchVectors' ? `search-${name}` : name
  return `${label}${isFips && !isPlain ? '-fips' : ''}.${region}.${isDualStack ? partition.dualStack : partition.domain}`
}

/** Whether the usual hosts of a service have addresses of both kinds. */
function hasBoth(service: string, { name }: Partition, isFips: boolean): boolean {
  if (service !== 'secretsmanager') return false
  return name === 'aws' || name === 'aws-us-gov' || (name === 'aws-cn' && !isFips)
}
