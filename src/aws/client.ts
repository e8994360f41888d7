import type { LightClient } from '../clients/light.ts'
import { ConfigurationError } from '../errors/index.ts'
import { asRecord, asString } from '../core/record.ts'
import { regionFromFile, regionPlaces } from '../invocation/region.ts'

/** The part of an AWS SDK client that the library uses. Any client fits, and so does a stand-in. */
export interface AwsClient {
  /** Sends a command. The SDK's `send` has an overload for each command; all of them fit this type. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  send(command: any, options?: any): Promise<any>
}

/** A client of the SDK, or the one that `light()` gives. */
export type AnyClient = AwsClient | LightClient

/** A client, or a function that makes a client when it is first needed. */
export type ClientOption = AnyClient | (() => AnyClient | Promise<AnyClient>)

/** Checks an option that is a client or makes a client. */
export function isClientOption(value: unknown): boolean {
  const client = asRecord(value)
  return [value, client?.['send'], client?.['call']].some((member) => typeof member === 'function')
}

/** Tells the light client from those of the SDK. Whatever has a `send` is taken for one of those. */
export function isLightClient(client: AnyClient): client is LightClient {
  return !('send' in client)
}

/** A client that the library makes itself. The library also reads its region. */
export type SdkClient = AwsClient & { readonly config: { readonly region: () => Promise<string> } }

/**
 * Makes the library's own clients: one per region in a process. Without a region, the client takes the environment's.
 *
 * @throws ConfigurationError if no region is set anywhere
 */
export function ownClients(
  make: (config: { region?: string }) => Promise<SdkClient>,
): (region?: string) => Promise<AwsClient> {
  const clients = new Map<string | undefined, Promise<AwsClient>>()

  async function open(region: string | undefined): Promise<AwsClient> {
    const client = await make(region === undefined ? {} : { region })
    try {
      await client.config.region()
    } catch (cause) {
      throw new ConfigurationError(noRegion(), { cause })
    }
    return client
  }

  return async (wanted) => {
    // Chains of one process may have files that name different regions.
    const region = wanted ?? regionFromFile()
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

/** The region of a client, where it tells. */
export async function regionOfClient(client: unknown): Promise<string | undefined> {
  const region = asRecord(asRecord(client)?.['config'])?.['region']
  try {
    return asString(typeof region === 'function' ? await Reflect.apply(region, undefined, []) : region)
  } catch {
    return undefined
  }
}

/** Why a call failed: the error's code, or what to do where that is known. It is safe to show in a message. */
export function reasonOf(error: unknown): string {
  const { name = 'Error', message = '', code } = (error ?? {}) as Partial<Error> & { code?: unknown }
  if (name === 'CredentialsProviderError')
    return 'no AWS credentials were found; give the function a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  // A client that the user made has this message. The library's own clients check the region first.
  if (message === 'Region is missing') return noRegion()
  // The message names who lacks which permission. The reader needs that.
  if (name === 'AccessDeniedException') return `${name} (${message})`
  if (error instanceof ConfigurationError) return message
  // Network errors have a code, and no name of their own.
  return typeof code === 'string' && /^E[A-Z_]+$/.test(code) ? code : name
}
