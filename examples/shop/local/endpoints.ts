import http from 'node:http'
import https from 'node:https'

/** What was set up cannot work. The message says what was seen, and what to do. */
export class SetUpError extends Error {
  override name = 'SetUpError'
}

/** In milliseconds. */
const patience = 5000

/**
 * The endpoint that the environment gives for a service, when it answers; `undefined` without one, or with an empty one.
 *
 * @throws SetUpError for what is no address, and where nothing answers
 */
export async function givenEndpoint(service: string): Promise<string | undefined> {
  const variable = [`AWS_ENDPOINT_URL_${service}`, 'AWS_ENDPOINT_URL'].find((name) => process.env[name])
  const given = variable === undefined ? undefined : process.env[variable]
  if (given === undefined) return undefined
  if (!URL.canParse(given) || !/^https?:/.test(given))
    throw new SetUpError(
      `${String(variable)}=${given} is not an address: give one as http://127.0.0.1:4566, or unset the variable`,
    )
  await answer(new URL(given)).catch((error: unknown) => {
    throw new SetUpError(
      `${wrongWith(error)} ${String(variable)}=${given}: start that emulator, or unset the variable`,
    )
  })
  return given
}

/** Resolves when the server answers anything. */
function answer(url: URL): Promise<void> {
  const { get } = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    get(url, { agent: false, signal: AbortSignal.timeout(patience) }, (response) => {
      response.destroy()
      resolve()
    }).once('error', reject)
  })
}

function wrongWith(error: unknown): string {
  const { code, name } = first(error)
  if (name === 'AbortError') return `No answer within ${patience / 1000} seconds from`
  if (code === 'ECONNREFUSED') return 'Nothing listens at'
  if (code === 'ENOTFOUND') return 'There is no such host as in'
  return `${String(code ?? name)} from`
}

interface Failure {
  readonly code?: unknown
  readonly name?: unknown
  readonly message?: unknown
  readonly port?: unknown
  readonly address?: unknown
  readonly hostname?: unknown
}

/** What the system says of a connection; a name with several addresses has one error for each. */
function first(error: unknown): Failure {
  const { errors } = error as { errors?: unknown }
  return (Array.isArray(errors) ? (errors[0] as unknown) : error) as Failure
}

/** Why the shop does not open, in one line. */
export function explain(error: unknown): string {
  const { code, name, message, port, address, hostname } = first(error)
  if (code === 'EADDRINUSE') return `Port ${String(port)} is taken: choose another, or none for a free one`
  if (name === 'CredentialsProviderError')
    return `No credentials from AWS_PROFILE=${String(process.env['AWS_PROFILE'])}: sign in, or unset the variable (${firstLine(message)})`
  if (code === 'ECONNREFUSED')
    return `Nothing listens at ${String(address)}:${String(port)}: start what is named by db_endpoint or AWS_ENDPOINT_URL, or unset the variable`
  if (code === 'ENOTFOUND')
    return `There is no host ${String(hostname)}: mend db_endpoint or AWS_ENDPOINT_URL, or unset the variable`
  if (error instanceof SyntaxError)
    return `An endpoint of AWS_ENDPOINT_URL… answers otherwise than AWS: ${firstLine(message)}`
  return firstLine(message) || String(code)
}

function firstLine(message: unknown): string {
  return (typeof message === 'string' ? message : '').split('\n')[0] ?? ''
}
