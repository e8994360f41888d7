/** The part of an AWS SDK client that is used, so that any client, or a stand-in, will do. */
export interface AwsClient {
  // The SDK's own `send` is overloaded per command; this is what all of them fit.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  send(command: any, options?: any): Promise<any>
}

/** A client, or a function that makes one when it is first needed. */
export type ClientOption = AwsClient | (() => AwsClient | Promise<AwsClient>)

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
