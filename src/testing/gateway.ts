import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { ignore } from '../core/ignore.ts'
import { listen } from '../core/listen.ts'
import { defaultLogger, logSafely } from '../core/logger.ts'
import { albEvent } from './alb-event.ts'
import { type DescribedRequest, matchTemplate } from './described-request.ts'
import { type GatewayReply, type GatewaySource, readResult } from './gateway-result.ts'
import { functionUrlEvent, httpApiEvent, httpApiV1Event } from './http-api-event.ts'
import { type AnyHandler, invoke } from './invoke.ts'
import { lambdaContext } from './lambda-context.ts'
import { restApiEvent } from './rest-api-event.ts'
import { invokeStreaming, isStreaming } from './streaming-runtime.ts'
import { vpcLatticeEvent } from './vpc-lattice-event.ts'

/** What a gateway has done with one request. */
export interface GatewayInvocation {
  readonly source: GatewaySource
  readonly method: string
  /** As the client sent it, with the query. */
  readonly path: string
  readonly status: number
  readonly milliseconds: number
  /** Why the gateway answered by itself, if it did. */
  readonly reason?: string
}

/** Options of {@link gateway}. */
export interface GatewayOptions {
  /** @default a free one */
  readonly port?: number
  /** @default '127.0.0.1' */
  readonly host?: string
  /** Route templates (`/products/{id}`) of a REST or HTTP API; other paths meet a catch-all. */
  readonly routes?: readonly string[]
  readonly stage?: string
  /** Content types that a REST API takes and gives as bytes. @default [] */
  readonly binaryMediaTypes?: readonly string[]
  /** The function's timeout in milliseconds. @default 29_000 */
  readonly timeout?: number
  /** Told of every request when it is answered. */
  readonly onInvocation?: (invocation: GatewayInvocation) => void
  /** Told why a result was refused. @default console.error */
  readonly onRefusal?: (reason: string) => void
}

/** A gateway that is listening. */
export interface Gateway {
  readonly url: string
  readonly port: number
  /** Stops listening, and waits for requests that are under way. */
  close(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A real HTTP server that stands for a gateway in front of a handler: each request becomes that source's event, each
 * result that gateway's response. What the real gateway would refuse becomes a 502, with the reason on the console.
 *
 * @throws Error with `code` EADDRINUSE if the port is taken
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { alb } from 'clearskies-middy/normalizers/alb'
 * import { gateway } from 'clearskies-middy/testing'
 *
 * const handler = middy().use(alb()).handler(async (request) => ({ path: request.path }))
 * await using server = await gateway('alb', handler)
 * console.log(await (await fetch(`${server.url}/products`)).json()) // { path: '/products' }
 * ```
 */
export async function gateway(
  source: GatewaySource,
  handler: AnyHandler,
  options: GatewayOptions = {},
): Promise<Gateway> {
  const { host = '127.0.0.1' } = options
  let closing = false
  const server = createServer((request, response) => {
    // A connection that was kept alive would keep the closing server waiting for it.
    response.once('close', () => {
      if (closing) server.closeIdleConnections()
    })
    void answerRequest({ source, handler, options }, request, response)
  })
  const port = await listen(server, options.port ?? 0, host)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      closing = true
      server.close(() => {
        resolve()
      })
      server.closeIdleConnections()
    })
  return {
    url: `http://${host}:${port}`,
    port,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What stands behind a gateway. */
interface Backed {
  readonly source: GatewaySource
  readonly handler: AnyHandler
  readonly options: GatewayOptions
}

async function answerRequest(
  behind: Backed,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { source, options } = behind
  const { onInvocation, onRefusal = (reason: string) => logSafely(defaultLogger, 'error', reason) } = options
  const started = performance.now()
  const { method = 'GET', url = '/' } = request
  let reply = await replyOf(behind, request)
  try {
    response.writeHead(reply.status, reply.headers.flat())
  } catch (error) {
    reply = gatewayRefusal(`the response cannot be sent: ${String(error)}`)
    response.writeHead(reply.status)
  }
  const { stream } = reply
  if (stream !== undefined) response.once('close', stream.close)
  if (stream === undefined || method === 'HEAD') response.end(method === 'HEAD' ? undefined : reply.body)
  // Where the function breaks off, so does the response.
  else await pipeline(stream.body, response).catch(ignore)
  const { status, reason } = reply
  if (reason !== undefined) onRefusal(`${source} gateway answered ${method} ${url} with ${status}: ${reason}`)
  const milliseconds = performance.now() - started
  onInvocation?.({ source, method, path: url, status, milliseconds, ...(reason !== undefined && { reason }) })
}

/** Invokes the function, and reads its result as the gateway does. */
async function replyOf(
  { source, handler, options }: Backed,
  request: IncomingMessage,
): Promise<GatewayReply> {
  const { timeout = 29_000, binaryMediaTypes = [] } = options
  try {
    const event = toEvent(source, await describe(request), options)
    const setting = { source, event, accept: request.headers.accept ?? '', binaryMediaTypes }
    const context = lambdaContext({ timeout })
    if (!isStreaming(handler)) return readResult(await invoke(handler, event, context), setting)
    if (source !== 'function-url' && source !== 'rest-api')
      throw new Error(`the source ${source} takes no stream`)
    const stream = await invokeStreaming(handler, event, context)
    return { ...readResult({ ...stream.metadata, body: '' }, setting), stream }
  } catch (error) {
    return gatewayRefusal(`the function failed: ${String(error)}`)
  }
}

function gatewayRefusal(reason: string): GatewayReply {
  return {
    status: 502,
    headers: [['content-type', 'application/json']],
    body: Buffer.from('{"message":"Internal server error"}'),
    reason,
  }
}

async function describe(request: IncomingMessage): Promise<DescribedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers: Record<string, string[]> = {}
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] as string
    if (!/^(?:connection|transfer-encoding|keep-alive)$/i.test(name))
      (headers[name] ??= []).push(request.rawHeaders[index + 1] as string)
  }
  const body = Buffer.concat(chunks)
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers,
    clientIp: (request.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, ''),
    protocol: 'http',
    ...(body.length > 0 && { body }),
  }
}

/** On the domain of a REST API the stage stands in front: links that a handler makes of `request.url` have it. */
function withoutStage(path: string, stage = 'prod'): string {
  return [`/${stage}/`, `/${stage}?`].some((start) => `${path}/`.startsWith(start))
    ? path.slice(stage.length + 1)
    : path
}

function toEvent(
  source: GatewaySource,
  request: DescribedRequest,
  { routes = [], stage, binaryMediaTypes = [] }: GatewayOptions,
): object {
  const [path = '/'] = (request.path ?? '/').split('?')
  const routed = source === 'rest-api' ? withoutStage(path, stage) : path
  const route = routes.find((template) => matchTemplate(routed, template) !== undefined)
  const staged = stage === undefined ? {} : { stage }
  switch (source) {
    case 'alb':
      return albEvent(request)
    case 'alb-multi-value':
      return albEvent({ ...request, multiValue: true })
    case 'rest-api':
      return restApiEvent({
        ...request,
        path: withoutStage(request.path ?? '/', stage),
        ...staged,
        binaryMediaTypes,
        ...(route !== undefined && { resource: route }),
      })
    case 'http-api':
      return httpApiEvent({ ...request, ...staged, ...(route !== undefined && { route }) })
    case 'http-api-1.0':
      return httpApiV1Event({ ...request, ...staged, ...(route !== undefined && { route }) })
    case 'function-url':
      return functionUrlEvent(request)
    case 'vpc-lattice':
      return vpcLatticeEvent(request)
  }
}
