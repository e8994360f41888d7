import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { type HttpNormalizerOptions, type HttpRequest, type Middleware, anyHttp } from 'clearskies-middy'
import { nodeHttp } from 'clearskies-middy/normalizers/node-http'
import { serve } from 'clearskies-middy/serve'
import { alb } from 'clearskies-middy/normalizers/alb'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { vpcLattice } from 'clearskies-middy/normalizers/vpc-lattice'
import {
  type AnyHandler,
  type DescribedRequest,
  type GatewaySource,
  albEvent,
  type GatewayOptions,
  functionUrlEvent,
  gateway,
  httpApiEvent,
  httpApiV1Event,
  invoke as invokeEvent,
  restApiEvent,
  vpcLatticeEvent,
} from 'clearskies-middy/testing'
import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { parseRequest } from '../../src/testing/described-request.ts'
import { RecordingLogger } from './recording-logger.ts'

/** One HTTP source, for tests that run over all of them. */
export interface TestedSource<TName extends string = GatewaySource | 'node-http'> {
  readonly name: TName
  readonly normalizer: (options?: HttpNormalizerOptions) => Middleware<HttpRequest>
  readonly event: (request?: DescribedRequest) => object
}

/** The sources that have events. */
export const gatewaySources: readonly TestedSource<GatewaySource>[] = [
  { name: 'alb', normalizer: alb as TestedSource['normalizer'], event: (request) => albEvent(request) },
  {
    name: 'alb-multi-value',
    normalizer: alb as TestedSource['normalizer'],
    event: (request) => albEvent({ ...request, multiValue: true }),
  },
  {
    name: 'rest-api',
    normalizer: restApi as TestedSource['normalizer'],
    event: (request) => restApiEvent(request),
  },
  {
    name: 'http-api',
    normalizer: httpApi as TestedSource['normalizer'],
    event: (request) => httpApiEvent(request),
  },
  {
    name: 'http-api-1.0',
    normalizer: httpApi as TestedSource['normalizer'],
    event: (request) => httpApiV1Event(request),
  },
  {
    name: 'function-url',
    normalizer: httpApi as TestedSource['normalizer'],
    event: (request) => functionUrlEvent(request),
  },
  {
    name: 'vpc-lattice',
    normalizer: vpcLattice as TestedSource['normalizer'],
    event: (request) => vpcLatticeEvent(request),
  },
]

/** A request for Node's own server. It has no event: it is sent through a socket, when a handler is invoked with it. */
class SentRequest {
  readonly #request: DescribedRequest

  constructor(request: DescribedRequest = {}) {
    this.#request = request
  }

  /** Serves the handler as a Web Function: behind Lambda, which appends the client's address, and by HTTPS. */
  async answerOf(handler: AnyHandler): Promise<SourceResponse> {
    process.env['AWS_LAMBDA_HTTP_ENDPOINT'] = '127.0.0.1:0'
    // The limit is Lambda's own. Without one nothing tells how much time is left, which Powertools asks.
    const serving = serve(handler, { logger: new RecordingLogger(), timeout: 30_000 })
    delete process.env['AWS_LAMBDA_HTTP_ENDPOINT']
    await using server = await serving
    return await this.#send(server.port)
  }

  async #send(port: number): Promise<SourceResponse> {
    const { method, path, rawQuery, lines, body, clientIp } = parseRequest(this.#request)
    const own = new Set(lines.map(([name]) => name.toLowerCase()))
    const added = [
      ['host', 'shop.example.com'],
      ['x-forwarded-for', clientIp],
      ['x-amzn-trace-id', 'Root=1-5e1b4151-5ac6c58f3b1a2b3c4d5e6f70'],
    ].filter(([name = '']) => !own.has(name))
    // On the wire a header is bytes; clients that send other alphabets send UTF-8.
    const headers = [...lines, ...added].flat().map((text) => Buffer.from(text).toString('latin1'))
    const target = rawQuery === '' ? path : `${path}?${rawQuery}`
    const sent = httpRequest({ host: '127.0.0.1', port, method, path: target, headers, agent: false })
    sent.end(body)
    const [message] = (await once(sent, 'response')) as [IncomingMessage]
    return readAnswer(message)
  }
}

/** What the handler's side has decided. The rest is the server's. */
async function readAnswer(message: IncomingMessage): Promise<SourceResponse> {
  const bytes = Buffer.concat(await message.toArray())
  const isText = isUtf8(bytes)
  const headers = Object.entries(message.headersDistinct).flatMap(([name, lines = []]) =>
    /^(?:date|connection|keep-alive|content-length|transfer-encoding)$/.test(name)
      ? []
      : [[name, lines.length === 1 ? String(lines[0]) : lines]],
  )
  return {
    statusCode: message.statusCode ?? 0,
    headers: Object.fromEntries(headers) as Record<string, string | string[]>,
    body: bytes.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  }
}

/** The sources that have events, and Node's own server, which gets real requests. */
export const sources: readonly TestedSource[] = [
  ...gatewaySources,
  {
    name: 'node-http',
    normalizer: nodeHttp as TestedSource['normalizer'],
    event: (request) => new SentRequest(request),
  },
]

/** Invokes a handler with what a source's `event()` gives. */
export async function invoke<TResult = unknown>(
  handler: AnyHandler,
  event: unknown,
  ...context: readonly [context?: Context]
): Promise<TResult> {
  return event instanceof SentRequest
    ? ((await event.answerOf(handler)) as TResult)
    : invokeEvent<TResult>(handler, event, ...context)
}

/** What a client reaches a handler by: the source's gateway, or Node's own server. */
export async function frontOf(
  { name }: TestedSource,
  handler: AnyHandler,
  options: GatewayOptions = {},
): Promise<{ readonly url: string; [Symbol.asyncDispose](): Promise<void> }> {
  return name === 'node-http'
    ? serve(handler, { port: 0, host: '127.0.0.1', logger: new RecordingLogger() })
    : gateway(name, handler, options)
}

/** What a handler reads of a request, whatever its source. */
export async function readBy<T>(
  event: object,
  read: (request: HttpRequest) => T,
  options: HttpNormalizerOptions = {},
): Promise<T> {
  const results: T[] = []
  const handler = middy()
    .use(anyHttp(options))
    .handler((request) => {
      results.push(read(request))
    })
  await invoke(handler, event)
  const [result] = results
  if (result === undefined) throw new Error('The handler was not called')
  return result
}

/** A response as the source's own gateway would read it. */
export interface SourceResponse {
  readonly statusCode: number
  readonly statusDescription?: string
  readonly headers?: Record<string, string | string[]>
  readonly multiValueHeaders?: Record<string, string[]>
  readonly cookies?: string[]
  readonly body: string
  readonly isBase64Encoded: boolean
}

/** Answers one described request with a handler, behind a source. */
export async function answer(
  source: TestedSource,
  request: DescribedRequest,
  handler: (request: HttpRequest) => unknown,
  options: HttpNormalizerOptions = {},
): Promise<SourceResponse & { readonly logger: RecordingLogger }> {
  const logger = new RecordingLogger()
  const wrapped = middy()
    .use(source.normalizer({ logger, ...options }))
    .handler(handler)
  const response = await invoke<SourceResponse>(wrapped, source.event(request))
  return { ...response, logger }
}

/** All values of a response header, whichever map they are in. */
export function responseHeader(
  { headers = {}, multiValueHeaders = {}, cookies }: SourceResponse,
  name: string,
): string[] {
  if (name === 'set-cookie' && cookies !== undefined) return cookies
  const single = headers[name]
  return [...[single ?? []].flat(), ...(multiValueHeaders[name] ?? [])]
}
