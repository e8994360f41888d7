import type { IncomingMessage } from 'node:http'
import type { LightCredentials } from './light-credentials.ts'
import { moduleOf } from './http.ts'
import { isRecord, textOf, variable } from './record.ts'
import { setupError } from './setup-error.ts'

/** How long one request may take, in milliseconds, and how often it is made in all. */
const timeLimit = 1000
const maxContainerAttempts = 4

/** ECS, and EKS: the token goes to these hosts, and over HTTPS, and nowhere else. */
const hosts: ReadonlySet<string> = new Set([
  'localhost',
  '[::1]',
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
])

/**
 * Asks the container for its credentials, as ECS, EKS and snapshots of Lambda give them.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export async function containerCredentials(): Promise<LightCredentials> {
  const url = await endpoint()
  const failures: string[] = []
  while (failures.length < maxContainerAttempts) {
    if (failures.length > 0) await pause(50 * 2 ** failures.length * Math.random())
    // The file's content changes, so it is read each time.
    const { status, body, failure = `status ${status}` } = await ask(url, await token())
    if (status === 200) return credentialsOf(body)
    failures.push(failure)
    if (status !== undefined && status < 500) break
  }
  throw providerError(`The container gives no credentials: ${failures.join(', ')}`)
}

/** An error of the name that errors of the SDK's providers have. */
function providerError(message: string): Error {
  return Object.assign(new Error(message), { name: 'CredentialsProviderError' })
}

/** @throws ConfigurationError for a host that may not have the token */
async function endpoint(): Promise<URL> {
  const relative = variable('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')
  const full = variable('AWS_CONTAINER_CREDENTIALS_FULL_URI') ?? ''
  const url = URL.parse(relative === undefined ? full : `http://169.254.170.2/${relative.replace(/^\//, '')}`)
  if (url?.protocol === 'https:') return url
  const isLoopback = /^127(?:\.\d+){3}$/.test(url?.hostname ?? '')
  if (url?.protocol === 'http:' && (isLoopback || hosts.has(url.hostname))) return url
  throw await setupError(
    'AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an HTTPS address nor that of the container itself, to which a token may go',
  )
}

async function token(): Promise<string | undefined> {
  const file = variable('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE')
  const text =
    file === undefined
      ? variable('AWS_CONTAINER_AUTHORIZATION_TOKEN')
      : await process.getBuiltinModule('node:fs/promises').readFile(file, 'utf8')
  const isSafe = text === undefined || /^[\t\x20-\x7e]*$/.test(text)
  if (isSafe) return text
  throw await setupError("The token for the container's credentials has characters that no header can hold")
}

interface Asked {
  readonly status?: number | undefined
  readonly body?: string
  /** Why there is no answer. */
  readonly failure?: string
}

function ask(url: URL, authorization: string | undefined): Promise<Asked> {
  return new Promise((resolve) => {
    const fail = ({ code, message }: NodeJS.ErrnoException): void => resolve({ failure: code ?? message })
    const options = { agent: false, headers: { ...(authorization && { authorization }) } }
    const request = moduleOf(url.protocol === 'https:').request(url, options, (response) => {
      response.on('error', fail)
      read(response, resolve)
    })
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeLimit} ms`)), timeLimit)
    request.on('error', fail)
    request.on('close', () => clearTimeout(timer))
    request.end()
  })
}

function read(response: IncomingMessage, resolve: (asked: Asked) => void): void {
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }))
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** An answer that cannot be understood is not quoted: it may hold the secret. */
function credentialsOf(body = ''): LightCredentials {
  const answer = json(body)
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = isRecord(answer) ? answer : {}
  const accessKeyId = textOf(AccessKeyId)
  const secretAccessKey = textOf(SecretAccessKey)
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw providerError('The container gives no credentials: its answer with status 200 holds none')
  return { accessKeyId, secretAccessKey, sessionToken: textOf(Token), expiration: textOf(Expiration) }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
