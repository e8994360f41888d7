// The same work by each contender: read method, path, a header, a query parameter, a path parameter and the JSON body,
// and answer with JSON.
import { Router } from '@aws-lambda-powertools/event-handler/http'
import awsLambdaFastify from '@fastify/aws-lambda'
import middy from '@middy/core'
import httpErrorHandler from '@middy/http-error-handler'
import httpEventNormalizer from '@middy/http-event-normalizer'
import httpHeaderNormalizer from '@middy/http-header-normalizer'
import httpJsonBodyParser from '@middy/http-json-body-parser'
import httpResponseSerializer from '@middy/http-response-serializer'
import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { handle } from 'hono/aws-lambda'
import * as lambdaApiModule from 'lambda-api'
import type { API, Request, Response } from 'lambda-api'
import serverless from 'serverless-http'
import { alb } from '../dist/normalizers/alb.js'
import { httpApi } from '../dist/normalizers/http-api.js'
import type { HttpRequest } from '../dist/normalizers/http-request.js'
import { restApi } from '../dist/normalizers/rest-api.js'
import {
  type AnyHandler,
  type DescribedRequest,
  albEvent,
  httpApiEvent,
  restApiEvent,
} from '../dist/testing/index.js'

/** A JSON POST of about 200 bytes with 13 headers, 2 query parameters and a path parameter. */
export const described: DescribedRequest = {
  method: 'POST',
  path: '/products/7?page=2&filter=new',
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
}

export const events = {
  httpApi: JSON.stringify(httpApiEvent({ ...described, route: '/products/{id}' })),
  restApi: JSON.stringify(restApiEvent({ ...described, resource: '/products/{id}' })),
  alb: JSON.stringify(albEvent(described)),
} as const

const json = { 'content-type': 'application/json' }

function readV2(request: APIGatewayProxyEventV2, data: unknown) {
  return {
    method: request.requestContext.http.method,
    path: request.rawPath,
    agent: request.headers['user-agent'],
    page: request.queryStringParameters?.['page'],
    id: request.pathParameters?.['id'],
    data,
  }
}

function readV1(request: APIGatewayProxyEvent | ALBEvent, data: unknown) {
  return {
    method: request.httpMethod,
    path: request.path,
    agent: request.headers?.['user-agent'],
    page: request.queryStringParameters?.['page'],
    id: (request as APIGatewayProxyEvent).pathParameters?.['id'],
    data,
  }
}

function byHand<T extends { body?: string | null }>(read: (request: T, data: unknown) => object) {
  return async (request: T) => ({
    statusCode: 200,
    headers: json,
    body: JSON.stringify(read(request, JSON.parse(request.body ?? ''))),
  })
}

const ours = async (request: HttpRequest) => ({
  method: request.method,
  path: request.path,
  agent: request.header('user-agent'),
  page: request.query.get('page'),
  id: request.pathParameters['id'],
  data: request.data,
})

/** The same by the map of all headers, as most handlers read them. */
const byMap = async (request: HttpRequest) => ({
  method: request.method,
  path: request.path,
  agent: request.headers['user-agent'],
  page: request.query.get('page'),
  id: request.pathParameters['id'],
  data: request.data,
})

const middyStack = middy()
  .use(httpEventNormalizer())
  .use(httpHeaderNormalizer())
  .use(httpJsonBodyParser())
  .use(
    httpResponseSerializer({
      serializers: [{ regex: /^application\/json$/, serializer: ({ body }) => JSON.stringify(body) }],
      defaultContentType: 'application/json',
    }),
  )
  .use(httpErrorHandler())
  .handler(async (request) => ({ statusCode: 200, body: readV2(request as never, request.body) }) as never)

const hono = new Hono()
hono.post('/products/:id', async (c) =>
  c.json({
    method: c.req.method,
    path: c.req.path,
    agent: c.req.header('user-agent'),
    page: c.req.query('page'),
    id: c.req.param('id'),
    data: (await c.req.json()) as unknown,
  }),
)

const powertools = new Router()
powertools.post('/products/:id', async ({ req, params }) => {
  const url = new URL(req.url)
  return {
    method: req.method,
    path: url.pathname,
    agent: req.headers.get('user-agent'),
    page: url.searchParams.get('page'),
    id: params['id'],
    data: (await req.json()) as never,
  }
})

// Its declarations describe the module and not its default export.
const createApi = (lambdaApiModule as unknown as { default: () => API }).default
const lambdaApi = createApi()
lambdaApi.post('/products/:id', (request: Request, response: Response) => {
  response.json({
    method: request.method,
    path: request.path,
    agent: request.headers['user-agent'],
    page: request.query['page'],
    id: request.params['id'],
    data: request.body as unknown,
  })
})

const expressApp = express()
expressApp.use(express.json())
expressApp.post('/products/:id', (request, response) => {
  response.json({
    method: request.method,
    path: request.path,
    agent: request.headers['user-agent'],
    page: request.query['page'],
    id: request.params.id,
    data: request.body as unknown,
  })
})

const fastifyApp = fastify()
fastifyApp.post('/products/:id', async (request) => ({
  method: request.method,
  path: request.url.split('?')[0],
  agent: request.headers['user-agent'],
  page: (request.query as Record<string, string>)['page'],
  id: (request.params as Record<string, string>)['id'],
  data: request.body,
}))

/** Handlers of one kind of event, the first the one that the others are compared with. */
export const handlers: Readonly<Record<keyof typeof events, Readonly<Record<string, AnyHandler>>>> = {
  httpApi: {
    'bare Middy': middy().handler(byHand(readV2) as never),
    'bare handler': byHand(readV2),
    'clearskies-middy': middy().use(httpApi()).handler(ours),
    'clearskies-middy, map of headers': middy().use(httpApi()).handler(byMap),
    "Middy's HTTP middlewares": middyStack,
    'lambda-api': (event, context) => lambdaApi.run(event as never, context as never),
    'Hono (hono/aws-lambda)': handle(hono) as AnyHandler,
    'Powertools event handler': (event, context) => powertools.resolve(event, context as never),
    'serverless-http with Express': serverless(expressApp) as AnyHandler,
    '@fastify/aws-lambda': awsLambdaFastify(fastifyApp) as AnyHandler,
  },
  restApi: {
    'bare Middy': middy().handler(byHand(readV1) as never),
    'clearskies-middy': middy().use(restApi()).handler(ours),
  },
  alb: {
    'bare Middy': middy().handler(byHand(readV1) as never),
    'clearskies-middy': middy().use(alb()).handler(ours),
  },
}
