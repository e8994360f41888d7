// One rich request, in the form that each source gives it: what the handler sees is the same, but for what a source
// cannot carry, which is listed here.
import { type HttpRequest } from 'clearskies-middy'
import { type DescribedRequest, type GatewaySource } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { readBy, sources } from '../support/sources.ts'

const rich: DescribedRequest = {
  method: 'POST',
  path: '/caf%C3%A9/a%20b%2Fc?tag=one&tag=two&empty=&plus=a%2Bb&space=c+d&percent=100%25&q=%C5%BC%26%3D&flag',
  headers: {
    host: 'shop.example.com',
    'Content-Type': 'application/json',
    'X-Many': ['first', 'second'],
    'X-City': '炎',
  },
  cookies: { session: 'a%20b', theme: 'dark' },
  body: { title: 'Zażółć gęślą jaźń 🎈', price: 12.5 },
  clientIp: '198.51.100.7',
}

/** Everything that a handler can read. */
function facts(request: HttpRequest) {
  return {
    method: request.method,
    path: request.path,
    pathname: request.url.pathname,
    query: [...request.query],
    header: request.header('x-many'),
    lines: request.headerValues('x-many'),
    city: request.header('x-city'),
    contentType: request.header('content-type'),
    cookie: request.header('cookie'),
    cookies: { ...request.cookies },
    text: request.text(),
    json: request.json(),
    data: request.data,
    bytes: Buffer.from(request.bytes()).toString('hex'),
    hasBody: request.hasBody,
    clientIp: request.clientIp,
    protocol: request.protocol,
    host: request.host,
    traceId: request.traceId,
    isHealthCheck: request.isHealthCheck,
    authorizer: request.authorizer,
    pathParameters: { ...request.pathParameters },
  }
}

type Facts = ReturnType<typeof facts>

const json = '{"title":"Zażółć gęślą jaźń 🎈","price":12.5}'
const whole: Facts = {
  method: 'POST',
  path: '/caf%C3%A9/a%20b%2Fc',
  pathname: '/caf%C3%A9/a%20b%2Fc',
  query: [
    ['tag', 'one'],
    ['tag', 'two'],
    ['empty', ''],
    ['plus', 'a+b'],
    ['space', 'c d'],
    ['percent', '100%'],
    ['q', 'ż&='],
    ['flag', ''],
  ],
  header: 'first, second',
  lines: ['first', 'second'],
  city: '炎',
  contentType: 'application/json',
  cookie: 'session=a%20b; theme=dark',
  cookies: { session: 'a b', theme: 'dark' },
  text: json,
  json: JSON.parse(json) as unknown,
  data: JSON.parse(json) as unknown,
  bytes: Buffer.from(json).toString('hex'),
  hasBody: true,
  clientIp: '198.51.100.7',
  protocol: 'https',
  host: 'shop.example.com',
  traceId: 'Root=1-5e1b4151-5ac6c58f3b1a2b3c4d5e6f70',
  isHealthCheck: false,
  authorizer: { kind: 'none' },
  pathParameters: {},
}

const joinedLines = { header: 'first,second', lines: ['first,second'] }
/** An HTTP API decodes the path before the function sees it: an escaped slash is a slash. */
const decodedPath = { path: '/caf%C3%A9/a%20b/c', pathname: '/caf%C3%A9/a%20b/c' }

const lost: Readonly<Record<GatewaySource | 'node-http', Partial<Facts>>> = {
  // The last of repeated values only.
  alb: { query: whole.query.filter(([, value]) => value !== 'one'), header: 'second', lines: ['second'] },
  'alb-multi-value': {},
  // The greedy parameter of the catch-all resource, decoded once. The client's address has the stage.
  'rest-api': { pathParameters: { proxy: 'café/a b/c' }, pathname: `/prod${whole.path}` },
  'http-api': { ...joinedLines, ...decodedPath },
  'http-api-1.0': decodedPath,
  'function-url': joinedLines,
  // It adds no X-Ray header.
  'vpc-lattice': { traceId: undefined },
  // Node gives the bytes of a header as Latin-1.
  'node-http': { city: Buffer.from('炎').toString('latin1') },
}

describe.each(sources)('the rich request behind $name', ({ name, event }) => {
  it('is the same, but for what the source cannot carry', async () => {
    expect(await readBy(event(rich), facts)).toEqual({ ...whole, ...lost[name] })
  })

  it('has the same bytes when they are no text', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
    const binary: DescribedRequest & { binaryMediaTypes: string[] } = {
      ...rich,
      body: bytes,
      headers: { 'content-type': 'application/octet-stream' },
      binaryMediaTypes: ['*/*'],
    }
    expect((await readBy(event(binary), (request) => Buffer.from(request.bytes()))).equals(bytes)).toBe(true)
  })

  it('is the same as a web request', async () => {
    const request = await readBy(event(rich), (made) => made.toWebRequest())
    const { path, query } = { ...whole, ...lost[name] }
    expect([
      request.method,
      new URL(request.url).pathname,
      [...new URL(request.url).searchParams],
      await request.json(),
      request.headers.get('cookie'),
    ]).toEqual(['POST', path, query, whole.json, whole.cookie])
  })
})
