/** An error of the setup. Its class is loaded with the first such error, so that importing the client loads none. */
export async function setupError(message: string, cause?: unknown): Promise<Error> {
  const { ConfigurationError } = await import('../../errors/setup.ts')
  return new ConfigurationError(message, { cause })
}
