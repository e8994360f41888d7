import type { AwsClient } from '../aws-client.ts'

type Loader = (options: {
  AwsClient: never
  fetchData: Record<string, string>
  disablePrefetch: true
  cacheExpiry: 0
}) => { before?: (request: never) => unknown }

/**
 * Lets one of Middy's own loaders (`@middy/ssm`, `@middy/secrets-manager`) read names, and hears its calls.
 *
 * Their cache knows instances by a name that all instances share, and their prefetch can end the process, so both are
 * switched off. They parse what looks like JSON and drop what is binary, so values are taken from the replies.
 * What a loader did not get (one forbidden name fails ten) stays unheard, for the caller to read by itself.
 */
export async function loadThroughMiddy(
  loader: Loader,
  names: readonly string[],
  client: AwsClient,
  abortSignal: AbortSignal,
  hear: (output: never, command: { readonly input: never }) => void,
): Promise<void> {
  // Middy calls it with `new`; a constructor that returns an object gives that object.
  const ListeningClient = function (): AwsClient {
    return {
      async send(command: { readonly input: never }) {
        const output: unknown = await client.send(command, { abortSignal })
        hear(output as never, command)
        return output
      },
    }
  }
  const fetchData = Object.fromEntries([...new Set(names)].map((name, index) => [`k${index}`, name]))
  const request: { internal: Record<string, Promise<unknown>>; context: object } = {
    internal: {},
    context: {},
  }
  await loader({
    AwsClient: ListeningClient as never,
    fetchData,
    disablePrefetch: true,
    cacheExpiry: 0,
  }).before?.(request as never)
  await Promise.allSettled(Object.values(request.internal))
}
