import middy from '@middy/core'
import httpErrorHandler from '@middy/http-error-handler'
import httpHeaderNormalizer from '@middy/http-header-normalizer'
import httpJsonBodyParser from '@middy/http-json-body-parser'
import httpResponseSerializer from '@middy/http-response-serializer'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { type AnyHandler, httpApiEvent, lambdaContext } from 'clearskies-middy/testing'
import { type Contender, type Measurement, compare } from './harness.ts'

/** A JSON POST of about 200 bytes with 13 headers, 2 query parameters and a path parameter. */
const event = JSON.stringify(
  httpApiEvent({
    method: 'POST',
    path: '/products/7?page=2&filter=new',
    route: '/products/{id}',
    headers: {
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate, br',
      'accept-language': 'en',
      'cache-control': 'no-cache',
      'content-type': 'application/json',
      origin: 'https://shop.example.com',
      referer: 'https://shop.example.com/products',
      'user-agent':
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    },
    body: {
      title: 'The Dispossessed',
      author: 'Ursula K. Le Guin',
      tags: ['science fiction', 'utopia', 'classic'],
      price: 12.5,
      stock: { berlin: 3, lodz: 5 },
      note: 'An ambiguous utopia, first published in 1974',
    },
  }),
)

const context = lambdaContext()

function contender(name: string, handler: AnyHandler): Contender {
  return {
    name,
    prepare: (count) => Array.from({ length: count }, () => JSON.parse(event) as unknown),
    async run(inputs) {
      for (const input of inputs) await handler(input, context)
    },
  }
}

interface Read {
  readonly method: string
  readonly path: string
  readonly agent: string | undefined
  readonly page: string | null | undefined
  readonly id: string | undefined
  readonly data: unknown
}

const raw = (request: APIGatewayProxyEventV2, data: unknown): Read => ({
  method: request.requestContext.http.method,
  path: request.rawPath,
  agent: request.headers['user-agent'],
  page: request.queryStringParameters?.['page'],
  id: request.pathParameters?.['id'],
  data,
})

const byHand = async (request: APIGatewayProxyEventV2) => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(raw(request, JSON.parse(request.body ?? ''))),
})

const bareMiddy = middy().handler(byHand as never)

const middyStack = middy()
  .use(httpHeaderNormalizer())
  .use(httpJsonBodyParser())
  .use(
    httpResponseSerializer({
      serializers: [{ regex: /^application\/json$/, serializer: ({ body }) => JSON.stringify(body) }],
      defaultContentType: 'application/json',
    }),
  )
  .use(httpErrorHandler())
  .handler(async (request) => ({ statusCode: 200, body: raw(request as never, request.body) }) as never)

const clearskies = middy()
  .use(httpApi())
  .handler(async (request): Promise<Read> => ({
    method: request.method,
    path: request.path,
    agent: request.header('user-agent'),
    page: request.query.get('page'),
    id: request.pathParameters['id'],
    data: request.data,
  }))

export function benchHttp(): Promise<Measurement[]> {
  return compare([
    contender('bare Middy, by hand', bareMiddy),
    contender('no Middy, by hand', byHand),
    contender('clearskies-middy httpApi()', clearskies),
    contender("Middy's own HTTP middlewares", middyStack),
  ])
}
