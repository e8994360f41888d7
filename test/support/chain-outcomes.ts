// What a handler may do behind a chain of middlewares, and what the client has to get of it.
import { type HttpRequest, NotFoundError, respond } from 'clearskies-middy'
import type { DescribedRequest } from 'clearskies-middy/testing'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { type GatewayReply, readResult } from '../../src/testing/gateway-result.ts'
import type { MiddyPackages } from './middy-majors.ts'
import { RecordingLogger } from './recording-logger.ts'
import { type SourceResponse, type TestedSource, invoke } from './sources.ts'

/** What a handler or a hook does, and what the client gets of it, whatever stands in the chain. */
export interface Outcome {
  readonly handler: (event: HttpRequest, context: unknown) => unknown
  /** Returned by a `before` hook behind the others: no `after` runs any more. */
  readonly early?: unknown
  readonly request?: DescribedRequest
  readonly status: number
  readonly type: string | undefined
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  readonly logged?: number
}

const long = 'some text, '.repeat(50)
const shared = Object.freeze({
  id: 1,
  title: 'T',
  body: 'text of the post',
  headers: Object.freeze({ a: 1 }),
})
const problem = (status: number, title: string, detail?: string) =>
  JSON.stringify({ title, status, ...(detail !== undefined && { detail }) })

const json = 'application/json; charset=utf-8'
const text = 'text/plain; charset=utf-8'
const problemType = 'application/problem+json'

export const outcomes: Readonly<Record<string, Outcome>> = {
  'an object with the fields of an envelope': {
    handler: () => shared,
    status: 200,
    type: json,
    body: JSON.stringify(shared),
  },
  'a list': { handler: () => [1, { a: 2 }], status: 200, type: json, body: '[1,{"a":2}]' },
  null: { handler: () => null, status: 200, type: json, body: 'null' },
  'a number': { handler: () => 0, status: 200, type: json, body: '0' },
  text: { handler: () => long, status: 200, type: text, body: long },
  bytes: {
    handler: () => new Uint8Array([1, 2, 255]),
    status: 200,
    type: 'application/octet-stream',
    body: Buffer.from([1, 2, 255]),
  },
  nothing: { handler: () => undefined, status: 204, type: undefined, body: '' },
  'a web response': {
    handler: () =>
      new Response('<p>', { status: 201, headers: { 'content-type': 'text/html', 'x-own': '1' } }),
    status: 201,
    type: 'text/html',
    body: '<p>',
    headers: { 'x-own': '1' },
  },
  'respond()': {
    handler: () => respond({ a: 1 }, { status: 202, headers: { 'x-own': '1' }, cookies: ['sid=S'] }),
    status: 202,
    type: json,
    body: '{"a":1}',
    headers: { 'x-own': '1', 'set-cookie': 'sid=S' },
  },
  'an envelope': {
    handler: () => Object.freeze({ statusCode: 203, body: 'x' }),
    status: 203,
    type: text,
    body: 'x',
  },
  'a stream': {
    handler: async function* stream() {
      yield await Promise.resolve('one')
      yield Buffer.from('two')
    },
    status: 200,
    type: 'application/octet-stream',
    body: 'onetwo',
  },
  'a thrown HTTP error': {
    handler: () => {
      throw new NotFoundError('no such thing', { headers: { 'x-own': '1' } })
    },
    status: 404,
    type: problemType,
    body: problem(404, 'Not Found', 'no such thing'),
    headers: { 'x-own': '1' },
  },
  'a thrown response': {
    handler: () => {
      throw respond({ a: 1 }, { status: 403 })
    },
    status: 403,
    type: json,
    body: '{"a":1}',
  },
  'an unexpected error': {
    handler: () => {
      throw Object.assign(new Error('the password is hunter2'), {
        status: 401,
        headers: { 'set-cookie': 'up=1' },
      })
    },
    status: 500,
    type: problemType,
    body: problem(500, 'Internal Server Error'),
    logged: 1,
  },
  'a result that cannot be encoded': {
    handler: () => respond({ a: 1n }, { headers: { 'x-not': '1' } }),
    status: 500,
    type: problemType,
    body: problem(500, 'Internal Server Error'),
    logged: 1,
  },
  'an early answer': {
    handler: () => 'never',
    early: respond('early', { status: 401, headers: { 'x-own': '1' } }),
    status: 401,
    type: text,
    body: 'early',
    headers: { 'x-own': '1' },
  },
  'an early object': { handler: () => 'never', early: { a: 1 }, status: 200, type: json, body: '{"a":1}' },
  'a preflight that the handler answers': {
    handler: () => respond.noContent(),
    request: { method: 'OPTIONS' },
    status: 204,
    type: undefined,
    body: '',
  },
}

export function headerOf(reply: GatewayReply, name: string): string | undefined {
  const values = reply.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length > 0 ? values.join(', ') : undefined
}

export function bodyOf(reply: GatewayReply): Buffer {
  return headerOf(reply, 'content-encoding') === 'gzip' ? gunzipSync(reply.body) : reply.body
}

/** A chain behind a normalizer. */
export interface TestedChain {
  readonly core: MiddyPackages['middy']
  readonly source: TestedSource
  readonly middlewares: readonly object[]
  /** What the chain needs to see. */
  readonly request?: DescribedRequest | undefined
}

/** What the gateway sends to the client, and how many lines the normalizer has logged. */
export async function replyOf(
  { core, source, middlewares, request }: TestedChain,
  { handler, early, request: asked }: Pick<Outcome, 'handler' | 'early' | 'request'>,
): Promise<GatewayReply & { readonly logged: number }> {
  const logger = new RecordingLogger()
  const wrapped = core()
  wrapped.use(source.normalizer({ logger }) as never)
  for (const middleware of middlewares) wrapped.use(middleware as never)
  if (early !== undefined) wrapped.before(() => early)
  const headers = { origin: 'https://a.example', 'accept-encoding': 'gzip', ...request?.headers }
  const event = source.event({ ...request, ...asked, headers })
  const result = await invoke<SourceResponse>(wrapped.handler(handler as never), event)
  return { ...readReply(source, event, result), logged: logger.errors.length }
}

/** Node's own server has sent what a client gets; a gateway reads a result first. */
function readReply({ name }: TestedSource, event: object, result: SourceResponse): GatewayReply {
  if (name !== 'node-http')
    return readResult(result, { source: name, event, accept: '*/*', binaryMediaTypes: ['*/*'] })
  const { statusCode, headers = {}, body, isBase64Encoded } = result
  return {
    status: statusCode,
    headers: Object.entries(headers).flatMap(([key, lines]) =>
      [lines].flat().map((line) => [key, line] as const),
    ),
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  }
}

/** Holds a reply against the outcome, and against the headers that the chain puts on what does not leave early. */
export function expectOutcome(
  { logged, ...answer }: GatewayReply & { readonly logged: number },
  outcome: Outcome,
  chainHeaders: Readonly<Record<string, string>> = {},
): void {
  expect([answer.reason, answer.status, logged]).toEqual([undefined, outcome.status, outcome.logged ?? 0])
  expect(headerOf(answer, 'content-type')).toBe(outcome.type)
  expect(bodyOf(answer)).toEqual(Buffer.from(outcome.body))
  const theirs = outcome.early === undefined ? chainHeaders : {}
  for (const [header, value] of Object.entries({ ...outcome.headers, ...theirs }))
    expect([header, headerOf(answer, header)]).toEqual([header, value])
  expect(headerOf(answer, 'x-not')).toBeUndefined()
  if (outcome.headers?.['set-cookie'] === undefined) expect(headerOf(answer, 'set-cookie')).toBeUndefined()
}
