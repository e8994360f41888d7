import { ConfigurationError, DotenvError } from '../errors/index.ts'
import { regionFromFile, regionPlaces } from './region.ts'

/** The part of an AWS SDK client that is used, so that any client, or a stand-in, will do. */
export interface AwsClient {
  /** Sends a command. The SDK's own `send` is overloaded per command; this is what all of them fit. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  send(command: any, options?: any): Promise<any>
}

/** A client, or a function that makes one when it is first needed. */
export type ClientOption = AwsClient | (() => AwsClient | Promise<AwsClient>)

/** For the options of factories. */
export function isClientOption(value: unknown): boolean {
  return typeof value === 'function' || typeof (value as { send?: unknown } | null)?.send === 'function'
}

/** A client that is made once, when it is first needed. */
export function lazyClient(
  client: ClientOption | undefined,
  make: () => Promise<AwsClient>,
): () => Promise<AwsClient> {
  let made: Promise<AwsClient> | undefined
  const get = async (): Promise<AwsClient> => {
    if (client === undefined) return make()
    return typeof client === 'function' ? client() : client
  }
  return () =>
    (made ??= get().catch((error: unknown) => {
      made = undefined // What failed once may work the next time.
      throw error
    }))
}

type SdkClient = AwsClient & { readonly config: { readonly region: () => Promise<string> } }

/**
 * The library's own client: one per region and process, unless the region is left to the environment.
 *
 * @throws ConfigurationError if no region is set anywhere
 */
export function ownClients(
  make: (config: { region?: string }) => Promise<SdkClient>,
): (region?: string) => Promise<AwsClient> {
  const clients = new Map<string | undefined, Promise<AwsClient>>()

  async function open(wanted: string | undefined): Promise<AwsClient> {
    const region = wanted ?? regionFromFile()
    const client = await make(region === undefined ? {} : { region })
    try {
      await client.config.region()
    } catch (cause) {
      throw new ConfigurationError(noRegion(), { cause })
    }
    return client
  }

  return (region) => {
    let client = clients.get(region)
    if (client === undefined) {
      client = open(region)
      clients.set(region, client)
      client.catch(() => clients.delete(region))
    }
    return client
  }
}

function noRegion(): string {
  return `No AWS region is set: give AWS_REGION in ${regionPlaces()}`
}

/** Why a call failed, in words that may stand in a message: the error's code, and what to do where that is known. */
export function reasonOf(error: unknown): string {
  const { name = 'Error', message = '', code } = (error ?? {}) as Partial<Error> & { code?: unknown }
  if (name === 'CredentialsProviderError')
    return 'no AWS credentials were found; give the function a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  // Of a client that the user made; the library's own says so by itself.
  if (message === 'Region is missing') return noRegion()
  // Names who may not do what: exactly what has to be put right.
  if (name === 'AccessDeniedException') return `${name} (${message})`
  if (error instanceof ConfigurationError || error instanceof DotenvError) return message
  // What the network says has a code, and no name of its own.
  return typeof code === 'string' && /^E[A-Z_]+$/.test(code) ? code : name
}
