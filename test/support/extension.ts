import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, vi } from 'vitest'

/** A request as the extension saw it. */
export interface ExtensionRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly token: string | undefined
}

type Answer = (request: ExtensionRequest, response: ServerResponse) => unknown

/**
 * The HTTP side of the AWS Parameters and Secrets Lambda Extension: its paths, its token, and answers that the test
 * gives.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
export class FakeExtension {
  readonly requests: ExtensionRequest[] = []
  /** Gives the answer's JSON, or answers by itself. Nothing is 400, which the extension says while it starts. */
  answer: Answer = () => undefined
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async #serve({ url = '', method, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const token = headers['x-aws-parameters-secrets-token']
    const request = { path: pathname, query: Object.fromEntries(searchParams), token: token?.toString() }
    this.requests.push(request)
    const body = await this.answer(request, response)
    if (response.headersSent || response.destroyed) return
    const isKnown = ['/systemsmanager/parameters/get', '/secretsmanager/get'].includes(pathname)
    if (method !== 'GET' || !isKnown) response.writeHead(404).end()
    else if (token !== process.env['AWS_SESSION_TOKEN']) response.writeHead(401).end()
    else if (body === undefined) response.writeHead(400).end('not ready to serve traffic, please wait')
    else response.end(JSON.stringify(body))
  }
}

/** An extension for the tests of a file, told to the library as Lambda would. */
export function useExtension(): { readonly extension: FakeExtension; readonly port: () => number } {
  const extension = new FakeExtension()
  let port = 0
  beforeAll(async () => {
    port = await extension.start()
  })
  afterAll(() => extension.stop())
  beforeEach(() => {
    extension.requests.length = 0
    extension.answer = () => undefined
    vi.stubEnv('PARAMETERS_SECRETS_EXTENSION_HTTP_PORT', String(port))
    vi.stubEnv('AWS_SESSION_TOKEN', 'session-token')
  })
  return { extension, port: () => port }
}
