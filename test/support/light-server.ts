import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, vi } from 'vitest'
import { type LightClient, type LightOptions, light } from 'clearskies-middy/clients/light'

/** A request as a service sees it. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly body: string
  readonly socket: Socket
}

/** Answers a request; `index` counts from 0 in each test. */
export type Respond = (response: ServerResponse, request: SeenRequest, index: number) => void

/** A server that stands for AWS and answers as each test says. */
export interface LightServer {
  readonly url: string
  /** The requests of the test, in order. */
  readonly requests: SeenRequest[]
  respond: Respond
  /** The client of a test: no other test shares it. */
  client(options?: LightOptions): LightClient
}

export const testCredentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/SECRET' }

/** A server for the tests of a file. */
export function useLightServer(): LightServer {
  const state = { url: '', requests: [] as SeenRequest[], respond: json(200, {}) }
  const server = createServer((request, response) => {
    void take(request, response)
  })
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    const bytes = await buffer(request).catch(() => Buffer.alloc(0))
    const { method = '', url = '', headers, socket } = request
    const seen = { method, path: url, headers, bytes, body: bytes.toString(), socket }
    const index = state.requests.push(seen) - 1
    state.respond(response, seen, index)
  }
  beforeAll(async () => {
    server.keepAliveTimeout = 60_000
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => {
    state.requests.length = 0
    state.respond = json(200, {})
    return () => {
      vi.useRealTimers()
      vi.restoreAllMocks()
      vi.unstubAllEnvs()
      vi.unstubAllGlobals()
    }
  })
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })
  const client = (options: LightOptions = {}): LightClient =>
    light({ ...freshOptions(), endpoint: state.url, ...options })
  return Object.assign(state, { client })
}

/** Options that no other client has. A function counts by its identity. */
export function freshOptions(): LightOptions {
  return { region: 'eu-central-1', credentials: testCredentials, onCall: () => undefined }
}

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Respond {
  return text(status, JSON.stringify(body), headers)
}

/** Answers with a text. */
export function text(status: number, body: string, headers: Record<string, string> = {}): Respond {
  return (response) => {
    // Its clock is the machine's, where a test does not say otherwise.
    response.sendDate = false
    response.writeHead(status, headers).end(body)
  }
}

/** Answers with one after the other. The last one stays. */
export function inTurn(...answers: readonly Respond[]): Respond {
  return (response, request, index) =>
    answers[Math.min(index, answers.length - 1)]?.(response, request, index)
}

/** Ends the connection. */
export const reset: Respond = (response) => response.socket?.resetAndDestroy()

/** Never answers. */
export const silence: Respond = () => undefined

/** The waits between attempts take no time. Jitter makes them so short now and then. */
export function withoutWaits(): void {
  vi.spyOn(Math, 'random').mockReturnValue(0)
}

/** What a call is rejected with. */
export async function errorOf(call: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome: unknown = await call.then(
    (value) => new Error(`It was answered: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  return outcome as Error & Record<string, unknown>
}
