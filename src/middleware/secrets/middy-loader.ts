import type { AwsClient } from '../../aws/client.ts'

type Loader = (options: {
  AwsClient: never
  fetchData: Record<string, string>
  disablePrefetch: true
  cacheExpiry: 0
}) => { before?: (request: never) => unknown }

/** Told what each of a loader's calls came to. */
interface Listener {
  answered(output: never, command: { readonly input: never }): void
  failed(error: unknown, command: { readonly input: never }): void
}

/**
 * Lets one of Middy's own loaders (`@middy/ssm`, `@middy/secrets-manager`) read names, and hears its calls. Gives for each
 * name a promise of when its call is over, whatever it came to.
 *
 * Their cache knows instances by a name that all instances share, and their prefetch can end the process, so both are
 * switched off. They parse what looks like JSON and drop what is binary, so values are taken from the replies.
 */
export async function loadThroughMiddy(
  loader: Loader,
  names: readonly string[],
  client: AwsClient,
  abortSignal: AbortSignal,
  { answered, failed }: Listener,
): Promise<ReadonlyMap<string, Promise<void>>> {
  // Middy calls it with `new`; a constructor that returns an object gives that object.
  const ListeningClient = function (): AwsClient {
    return {
      async send(command: { readonly input: never }) {
        try {
          const output: unknown = await client.send(command, { abortSignal })
          answered(output as never, command)
          return output
        } catch (error) {
          failed(error, command)
          throw error
        }
      },
    }
  }
  const keys = new Map([...new Set(names)].map((name, index) => [name, `k${index}`]))
  const request: { internal: Record<string, Promise<unknown>>; context: object } = {
    internal: {},
    context: {},
  }
  await loader({
    AwsClient: ListeningClient as never,
    fetchData: Object.fromEntries([...keys].map(([name, key]) => [key, name])),
    disablePrefetch: true,
    cacheExpiry: 0,
  }).before?.(request as never)
  const ignore = (): void => {}
  return new Map(
    [...keys].map(([name, key]) => [name, Promise.resolve(request.internal[key]).then(ignore, ignore)]),
  )
}
