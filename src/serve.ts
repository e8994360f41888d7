import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { listen } from './core/listen.ts'
import { type Logger, defaultLogger, logSafely } from './core/logger.ts'
import type { AnyHandler } from './core/middy.ts'
import { checkOptions, is, isCount, isLogger } from './core/options.ts'
import type { NodeHttpEvent } from './normalizers/node-http.ts'
import { ClientMessage } from './serve/client-message.ts'
import { ClientGoneError, ResponseWriter } from './serve/response-writer.ts'

/** Options of {@link serve}. */
export interface ServeOptions {
  /** 0 is a free one. Where `AWS_LAMBDA_HTTP_ENDPOINT` is set, it has the port and the host. @default 3000 */
  readonly port?: number
  /** @default all interfaces, as Node has it */
  readonly host?: string
  /** Closes the server when it is aborted, as `close()` does. */
  readonly signal?: AbortSignal
  /**
   * The longest body that is read before the handler is called, in bytes. Of a longer one only `request.stream()` and
   * `toWebRequest()` give anything: `data`, `bytes()` and `text()` throw an `HttpError` (413).
   * @default 6 MB (6,291,456), as Lambda has it
   */
  readonly maxBodyBytes?: number
  /**
   * Milliseconds for which an idle connection is kept. Longer than a load balancer in front keeps it (60 s by default), or a
   * request now and then meets a connection that is just closed.
   * @default 65_000
   */
  readonly keepAliveTimeout?: number
  /** Milliseconds that one request may take, which `request.signal` and `getRemainingTimeInMillis()` tell. @default no limit */
  readonly timeout?: number
  /** @default console */
  readonly logger?: Logger
}

/** A server that is listening. */
export interface Served {
  readonly url: string
  readonly port: number
  /** Takes no more requests, and resolves when those that are under way have been answered. */
  close(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

const serveChecks = {
  port: isCount,
  host: is('string'),
  signal: (value: unknown) => value instanceof AbortSignal,
  maxBodyBytes: isCount,
  keepAliveTimeout: isCount,
  timeout: (value: unknown) => typeof value === 'number' && value > 0,
  logger: isLogger,
}

/**
 * Puts a handler with `nodeHttp()` or `anyHttp()` behind Node's own HTTP server, for Lambda Web Functions, containers and
 * local work. Requests run beside each other, each in a scope of its own. SIGTERM closes it.
 *
 * @throws Error with `code` EADDRINUSE if the port is taken; TypeError for a wrong option
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { nodeHttp } from 'clearskies-middy/normalizers/node-http'
 * import { serve } from 'clearskies-middy/serve'
 *
 * const handler = middy().use(nodeHttp()).handler(async ({ path }) => ({ path }))
 *
 * const { url } = await serve(handler, { port: 0 })
 * console.log(await (await fetch(`${url}/products`)).json()) // { path: '/products' }
 * ```
 */
export async function serve(handler: AnyHandler, options: ServeOptions = {}): Promise<Served> {
  checkOptions('serve', options, serveChecks)
  const { signal, keepAliveTimeout = 65_000 } = options
  signal?.throwIfAborted()
  const { host, port: wanted } = listenPlace(options)
  const serving = new Serving(handler, options)
  // As a builtin, because the module's facade for `import` takes 28 ms to load.
  const server = process
    .getBuiltinModule('node:http')
    .createServer({ keepAliveTimeout }, (message, response) => {
      void serving.answer(message, response)
    })
  // Without it Node asks for each body at once, however long it is.
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
    void serving.answer(message, response)
  })
  server.on('connection', serving.greet)
  const port = await listen(server, wanted, host)
  const close = closer(server, serving)
  const stop = (): void => void close()
  process.once('SIGTERM', stop)
  signal?.addEventListener('abort', stop, { once: true })
  server.once('close', () => {
    process.off('SIGTERM', stop)
    signal?.removeEventListener('abort', stop)
  })
  const name = host === undefined ? 'localhost' : urlHost(host)
  return { url: `http://${name}:${port}`, port, close, [Symbol.asyncDispose]: close }
}

/** Where to listen: where Lambda says, or where the options say. */
function listenPlace({ host, port = 3000 }: ServeOptions): { host: string | undefined; port: number } {
  const endpoint = process.env['AWS_LAMBDA_HTTP_ENDPOINT']
  if (!endpoint) return { host, port }
  const [, name, digits] = /^(?:https?:\/\/)?(.*):(\d+)\/?$/.exec(endpoint) ?? []
  if (digits === undefined)
    throw new TypeError(`AWS_LAMBDA_HTTP_ENDPOINT is no "host:port": ${JSON.stringify(endpoint)}`)
  return { host: name?.replace(/^\[|\]$/g, '') || undefined, port: Number(digits) }
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function closer(server: Server, serving: Serving): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () =>
    (closed ??= new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
      serving.close()
      // For the connections whose answer is on its way: it has said that they stay open.
      server.keepAliveTimeout = 1
      server.closeIdleConnections()
    }))
}

const functionName = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? 'serve'

/** Answers requests. */
class Serving {
  readonly #handler: AnyHandler
  readonly #options: ServeOptions
  readonly #logger: Logger
  readonly #closing = new AbortController()
  /** The connections without a request so far. */
  readonly #silent = new Set<Socket>()
  // Looking into the environment takes longer than all else here.
  readonly #isWebFunction = Boolean(process.env['AWS_LAMBDA_HTTP_ENDPOINT'])

  constructor(handler: AnyHandler, options: ServeOptions) {
    this.#handler = handler
    this.#options = options
    this.#logger = options.logger ?? defaultLogger
    // As many as there are streams, which Node would take for a leak.
    process.getBuiltinModule('node:events').setMaxListeners(0, this.#closing.signal)
  }

  /** From now on each answer ends its connection, and event streams, which have no end, end. */
  close(): void {
    this.#closing.abort()
    for (const socket of this.#silent) socket.destroy()
  }

  /** Node does not count a connection as idle before its first request. Browsers open such connections ahead of time. */
  readonly greet = (socket: Socket): void => {
    this.#silent.add(socket)
    socket.once('close', () => this.#silent.delete(socket))
  }

  /** Never rejects. One function, because each further one that waits costs a promise. */
  async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#silent.size > 0) this.#silent.delete(message.socket)
    const writer = new ResponseWriter(message, response, this.#closing.signal)
    if (hasTwoHosts(message)) {
      writer.fail(400, 'Bad Request')
      return
    }
    try {
      const event = new ClientMessage(message, writer, this.#isWebFunction)
      const reading = event.read(this.#options.maxBodyBytes ?? 6_291_456)
      if (reading !== undefined) await reading
      const result: unknown = await this.#handler(event, new ServedContext(event, this.#options.timeout))
      const draining = event.drain()
      if (draining !== undefined) await draining
      writer.write(result)
    } catch (error) {
      if (error instanceof ClientGoneError) return
      // Without the query, which may have what is secret.
      const path = message.url?.replace(/[?#].*/s, '') ?? '/'
      logSafely(this.#logger, 'error', `${message.method ?? 'GET'} ${path} failed`, error)
      writer.fail()
    }
  }
}

/** Who reads the first would see another request than who reads the last (RFC 9112, 3.2). */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    // Lengths are compared first, for they are at hand.
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

/** What stands for Lambda's context. Without a limit nobody tells how much time is left. */
class ServedContext {
  readonly functionName: string = functionName
  readonly #event: NodeHttpEvent
  getRemainingTimeInMillis?: () => number

  constructor(event: NodeHttpEvent, timeout: number | undefined) {
    this.#event = event
    if (timeout === undefined) return
    const deadline = Date.now() + timeout
    this.getRemainingTimeInMillis = () => Math.max(0, deadline - Date.now())
  }

  get awsRequestId(): string {
    return this.#event.requestId
  }
}
