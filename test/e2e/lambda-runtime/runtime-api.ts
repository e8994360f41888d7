import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** An error as the runtime posts it. */
export interface PostedError {
  readonly errorType: string
  readonly errorMessage: string
  readonly trace: readonly string[]
}

/** How an invocation ended. */
export type Outcome =
  | { readonly kind: 'response'; readonly value: unknown; readonly bytes: number }
  | StreamOutcome
  | { readonly kind: 'error'; readonly error: PostedError }
  | { readonly kind: 'timeout' }

/** A response that streams: the invocation has begun to answer. Its body fails where it is cut or a trailer tells of an error. */
export interface StreamOutcome {
  readonly kind: 'stream'
  readonly contentType: string | undefined
  /** What arrives, piece by piece. The runtime waits for who reads it. */
  readonly body: AsyncIterable<Buffer>
}

interface Invocation {
  readonly id: string
  readonly event: string
  /** Milliseconds that the function has. */
  readonly timeout: number
  readonly end: (outcome: Outcome) => void
  timer?: NodeJS.Timeout
}

const functionArn = 'arn:aws:lambda:eu-central-1:123456789012:function:shop'

/** A response may have 6 MB and a bit for the runtime's own envelope. */
const maxResponse = 6 * 1024 * 1024 + 100

/**
 * Lambda's side of the Runtime API for one function: gives out events, takes what comes back, and stops waiting when the
 * function's time is up.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeApi {
  /** Settles when the runtime has told that it cannot start. */
  readonly initError: Promise<PostedError>
  /** Settles when the runtime asks for its first event: the handler is loaded. */
  readonly ready: Promise<void>
  readonly #initFailed = Promise.withResolvers<PostedError>()
  readonly #ready = Promise.withResolvers<undefined>()
  readonly #queue: Invocation[] = []
  readonly #idle: ((invocation: Invocation) => void)[] = []
  readonly #running = new Map<string, Invocation>()
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy())
  })

  constructor() {
    this.initError = this.#initFailed.promise
    this.ready = this.#ready.promise
  }

  /** @returns the value of `AWS_LAMBDA_RUNTIME_API` */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const { timer } of this.#running.values()) clearTimeout(timer)
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  invoke(event: unknown, { timeout = 30_000 }: { timeout?: number } = {}): Promise<Outcome> {
    return new Promise((end) => {
      const invocation: Invocation = { id: randomUUID(), event: JSON.stringify(event), timeout, end }
      const take = this.#idle.shift()
      if (take === undefined) this.#queue.push(invocation)
      else take(invocation)
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = `${request.method ?? ''} ${(request.url ?? '').replace('/2018-06-01/runtime/', '')}`
    if (route === 'GET invocation/next') {
      this.#ready.resolve(undefined)
      this.#give(await this.#next(), response)
      return
    }
    if (route === 'POST init/error') {
      this.#initFailed.resolve(JSON.parse(await text(request)) as PostedError)
      accepted(response)
      return
    }
    const [, id = '', end] = /^POST invocation\/([^/]+)\/(response|error)$/.exec(route) ?? []
    const invocation = this.#running.get(id)
    if (end === undefined || invocation === undefined) {
      response.writeHead(400).end('{"errorType":"InvalidRequestID"}')
      return
    }
    if (request.headers['lambda-runtime-function-response-mode'] === 'streaming') {
      this.#finish(invocation, streamed(request, response))
      return
    }
    const body = await text(request)
    const bytes = Buffer.byteLength(body)
    this.#finish(
      invocation,
      end === 'error'
        ? { kind: 'error', error: JSON.parse(body) as PostedError }
        : bytes > maxResponse
          ? { kind: 'error', error: tooLarge }
          : { kind: 'response', value: JSON.parse(body), bytes },
    )
    accepted(response)
  }

  #next(): Promise<Invocation> {
    const waiting = this.#queue.shift()
    return waiting ? Promise.resolve(waiting) : new Promise((resolve) => this.#idle.push(resolve))
  }

  #give(invocation: Invocation, response: ServerResponse): void {
    const { id, event, timeout } = invocation
    this.#running.set(id, invocation)
    invocation.timer = setTimeout(() => {
      this.#finish(invocation, { kind: 'timeout' })
    }, timeout)
    response.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': Date.now() + timeout,
      'lambda-runtime-invoked-function-arn': functionArn,
      'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1',
    })
    response.end(event)
  }

  #finish(invocation: Invocation, outcome: Outcome): void {
    clearTimeout(invocation.timer)
    this.#running.delete(invocation.id)
    invocation.end(outcome)
  }
}

const tooLarge: PostedError = {
  errorType: 'Function.ResponseSizeTooLarge',
  errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
  trace: [],
}

function streamed(request: IncomingMessage, response: ServerResponse): StreamOutcome {
  async function* body(): AsyncGenerator<Buffer> {
    for await (const piece of request) yield piece as Buffer
    accepted(response)
    const { 'lambda-runtime-function-error-type': errorType } = request.trailers
    if (errorType !== undefined) throw new Error(`The stream ended with ${errorType}`)
  }
  return { kind: 'stream', contentType: request.headers['content-type'], body: body() }
}

function accepted(response: ServerResponse): void {
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}')
}
