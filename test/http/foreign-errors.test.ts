// What of an error reaches the caller: errors of real packages, and errors of every odd form.
import middy from '@middy/core'
import { createError as middyError } from '@middy/util'
import axios from 'axios'
import {
  BadRequestError,
  HttpError,
  ValidationError,
  type HttpNormalizerOptions,
  respond,
  validate,
} from 'clearskies-middy'
import { jsonBody } from 'clearskies-middy/middleware/json-body'

import httpErrors from 'http-errors'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { ofetch } from 'ofetch'
import OpenAI from 'openai'
import pino from 'pino'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'
import { type SourceResponse, answer, responseHeader, sources, invoke } from '../support/sources.ts'

const [source] = sources
const unexposed = { title: 'Internal Server Error', status: 500 }

/** How a thrown value is answered. */
async function answerTo(error: unknown, options: HttpNormalizerOptions = {}) {
  const response = await answer(
    source!,
    {},
    () => {
      throw error
    },
    options,
  )
  return {
    response,
    status: response.statusCode,
    body: JSON.parse(response.body) as Record<string, unknown>,
    log: response.logger.errors,
  }
}

describe('an error of another server', () => {
  const upstream = createServer((request, response) => {
    const status = Number(/\d{3}/.exec(request.url ?? '')?.[0] ?? 401)
    response.writeHead(status, {
      'content-type': 'application/json',
      'set-cookie': 'up=1',
      'x-internal': 'db7',
    })
    response.end(
      JSON.stringify({
        error: { message: 'Incorrect API key provided: sk-live-abc', type: 'invalid_request_error' },
      }),
    )
  })
  let address: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  })
  afterAll(() => {
    upstream.close()
  })

  it.each<[string, (url: string) => Promise<unknown>]>([
    ['axios', (url) => axios.get(`${url}/401?api_key=SECRET`)],
    ['ofetch', (url) => ofetch(`${url}/401?api_key=SECRET`, { retry: 0 })],
    [
      'openai',
      (url) => new OpenAI({ apiKey: 'sk-live-abc', baseURL: `${url}/401`, maxRetries: 0 }).models.list(),
    ],
    [
      'stripe',
      (url) => {
        const { hostname, port } = new URL(url)
        return new Stripe('sk_live_abc', {
          host: hostname,
          port: Number(port),
          protocol: 'http',
          maxNetworkRetries: 0,
        }).customers.list()
      },
    ],
  ])('H2: an uncaught error of %s is a 500 that says nothing, and is logged', async (_, call) => {
    const logger = new RecordingLogger()
    const handler = middy()
      .use(source!.normalizer({ logger }))
      .handler(() => call(address))
    const response = await invoke<SourceResponse>(handler, source!.event())
    expect([response.statusCode, JSON.parse(response.body)]).toEqual([500, unexposed])
    expect(JSON.stringify(response)).not.toMatch(/up=1|db7|sk-|sk_|SECRET/)
    expect(logger.errors).toHaveLength(1)
  })
})

describe('expose', () => {
  class Exposed extends Error {
    get expose() {
      return true
    }
    get statusCode() {
      return 410
    }
  }

  it.each<[string, unknown, number, string | undefined]>([
    ['our HttpError', new HttpError(404, 'told'), 404, 'told'],
    ['a named error of http-errors', new httpErrors.NotFound('told'), 404, 'told'],
    ['createError() of http-errors', httpErrors(409, 'told'), 409, 'told'],
    ['a server error of http-errors', httpErrors(503, 'hunter2'), 503, undefined],
    ['createError() of Middy', middyError(418, 'told'), 418, 'told'],
    ['a class with getters', new Exposed('told'), 410, 'told'],
    [
      'statusCode in front of status',
      Object.assign(new Error('told'), { statusCode: 404, status: 500, expose: true }),
      404,
      'told',
    ],
    [
      'a status that is a word',
      Object.assign(new Error('told'), { statusCode: 404, status: 'FAILED', expose: true }),
      404,
      'told',
    ],
    ['status alone', Object.assign(new Error('told'), { status: 404, expose: true }), 404, 'told'],
    ['not exposed', Object.assign(new Error('hunter2'), { statusCode: 404, expose: false }), 404, undefined],
    ['no boolean', Object.assign(new Error('hunter2'), { statusCode: 404, expose: 'true' }), 500, undefined],
    [
      'a status without expose',
      Object.assign(new Error('hunter2'), { statusCode: 404, status: 404 }),
      500,
      undefined,
    ],
    ['no error at all', { statusCode: 404, message: 'hunter2', x: 1 }, 500, undefined],
    ['an exposed cause', new Error('hunter2', { cause: new HttpError(404, 'hunter2') }), 500, undefined],
    ['no status', Object.assign(new Error('hunter2'), { expose: true }), 500, undefined],
    ['a success', Object.assign(new Error('hunter2'), { statusCode: 200, expose: true }), 500, undefined],
    [
      'a proxy',
      new Proxy(new HttpError(404, 'x'), {
        get() {
          throw new Error('hunter2')
        },
      }),
      500,
      undefined,
    ],
  ])('H2: %s', async (_, error, status, detail) => {
    const { body, log, ...answered } = await answerTo(error)
    expect([answered.status, body['detail'], log.length]).toEqual([
      status,
      detail,
      detail === undefined ? 1 : 0,
    ])
  })

  it('H2: the option errors still sees every error as it is', async () => {
    const error = Object.assign(new Error('upstream'), { status: 401 })
    const seen: unknown[] = []
    const { status } = await answerTo(error, {
      errors: (one) => {
        seen.push(one)
        return respond({}, { status: 502 })
      },
    })
    expect([status, seen]).toEqual([502, [error]])
  })
})

describe('headers of an error', () => {
  const headers = {
    'retry-after': '60',
    'WWW-Authenticate': 'Basic',
    'Set-Cookie': 'up=1',
    'Content-Encoding': 'gzip',
    'content-type': 'text/html',
    'Content-Length': '7',
    connection: 'close',
    'Transfer-Encoding': 'chunked',
    'content-security-policy': 'x',
  }

  it('H3: those of an exposed error leave, but for cookies, the body and the connection', async () => {
    for (const errors of ['problem', 'clearskies'] as const) {
      const { response } = await answerTo(
        Object.assign(new Error('x'), { statusCode: 404, expose: true, headers }),
        { errors },
      )
      expect(Object.keys(response.headers ?? {}).sort()).toEqual([
        'content-type',
        'retry-after',
        'www-authenticate',
      ])
      expect(responseHeader(response, 'content-type')[0]).toMatch(/json/)
    }
  })

  it.each([{ statusCode: 404 }, { statusCode: 502, expose: false }])(
    'H3: those of one that is not exposed stay inside: %j',
    async (facts) => {
      const { response } = await answerTo(
        Object.assign(new Error('x'), { ...facts, headers: { ...headers, 'x-internal': 'db7' } }),
      )
      expect(Object.keys(response.headers ?? {})).toEqual(['content-type'])
    },
  )
})

describe('a list of findings', () => {
  const odd = [
    'name is required',
    { path: 'email', message: 'x', value: 'hunter2', instance: {} },
    { path: ['a', 0, Symbol('s'), {}], message: 'y', in: 'data' },
    null,
    7,
    [],
    { msg: 'hunter2', param: 'hunter2' },
    { message: 'z' },
    {
      path: ['b'],
      get message() {
        throw new Error('hunter2')
      },
    },
    new Proxy(
      {},
      {
        get() {
          throw new Error('hunter2')
        },
      },
    ),
  ]

  it('H4: path, message and in of each leave, and nothing else', async () => {
    const { status, body } = await answerTo(
      Object.assign(new Error('x'), { statusCode: 422, expose: true, errors: odd }),
    )
    expect(status).toBe(422)
    expect(body['errors']).toEqual(
      [
        { message: 'name is required' },
        { path: 'email', message: 'x' },
        { path: ['a', '0', 'Symbol(s)'], message: 'y', in: 'data' },
        { path: [] },
        { message: 'z' },
        { path: ['b'] },
      ].filter((finding) => JSON.stringify(finding) !== '{"path":[]}'),
    )
  })

  it('H4: the same in clearskies', async () => {
    const { status, body } = await answerTo(
      Object.assign(new Error('x'), { statusCode: 422, expose: true, errors: odd }),
      { errors: 'clearskies' },
    )
    expect([status, body['status']]).toEqual([422, 'input_errors'])
    expect(JSON.stringify(body)).not.toContain('hunter2')
  })

  it.each([
    [7],
    ['text'],
    [{ length: 3 }],
    [
      new Proxy([], {
        get() {
          throw new Error('x')
        },
      }),
    ],
  ])('H4: what is no list keeps the status', async (errors) => {
    expect(
      (await answerTo(Object.assign(new Error('x'), { statusCode: 422, expose: true, errors }))).status,
    ).toBe(422)
  })

  it.each(
    sources.flatMap((each) => [
      [each.name, 'problem', each] as const,
      [each.name, 'clearskies', each] as const,
    ]),
  )('H5: 100,000 findings behind %s are a 400 of moderate size, in %s', async (_, errors, each) => {
    const findings = Array.from({ length: 100_000 }, (__, index) => ({
      path: ['list', index, 'n'.repeat(5_000)],
      message: '\u0000'.repeat(5_000),
    }))
    const error = new BadRequestError('The request is not valid', { errors: findings })
    const response = await answer(
      each,
      {},
      () => {
        throw error
      },
      { errors },
    )
    expect([response.statusCode, response.logger.errors]).toEqual([400, []])
    expect(JSON.stringify(response).length).toBeLessThan(100_000)
    expect(response.body).toMatch(/of 100000 findings/)
    expect(error.errors).toHaveLength(100_000)
  })

  it('H5: a hundred of validate() are told', async () => {
    const handler = middy()
      .use(source!.normalizer())
      .use(validate({ data: z.array(z.string()) }))
      .handler(() => 1)
    const event = source!.event({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Array.from({ length: 2_000 }, () => 1),
    })
    const { body } = await invoke<SourceResponse>(handler, event)
    const problem = JSON.parse(body) as { detail: string; errors: unknown[] }
    expect([problem.errors.length, problem.detail]).toEqual([
      100,
      'The request is not valid (100 of 2000 findings)',
    ])
  })

  it('H5: a hundred are all', async () => {
    const errors = Array.from({ length: 100 }, (_, index) => ({ path: [index], message: 'x' }))
    const { body } = await answerTo(new ValidationError('no', { errors }))
    expect([body['detail'], (body['errors'] as unknown[]).length]).toEqual(['no', 100])
  })
})

describe('jsonBody()', () => {
  it.each([
    ['malformed', '{"password":"hunter2",}', 'application/json', 422],
    ['cut off', '{"password":"hunter2"', 'application/json', 422],
    ['no JSON at all', 'hunter2', 'application/json', 422],
    [
      'with a key that would change prototypes',
      '{"__proto__":{"password":"hunter2"}}',
      'application/json',
      422,
    ],
    ['of another type', 'password=hunter2', 'text/csv', 415],
  ])('H6: an error about a body that is %s has nothing of it', async (_, body, type, status) => {
    const seen: unknown[] = []
    const handler = middy()
      .use(
        source!.normalizer({
          errors: (error) => {
            seen.push(error)
            return respond('', { status: (error as HttpError).statusCode })
          },
        }),
      )
      .use(jsonBody())
      .handler(() => 1)
    const response = await invoke<SourceResponse>(
      handler,
      source!.event({ method: 'POST', headers: { 'content-type': type }, body }),
    )
    expect(response.statusCode).toBe(status)
    expect(seen).toEqual([expect.any(HttpError)])
    expect(inspect(seen, { depth: Infinity, showHidden: true })).not.toMatch(/hunter2|password/)
  })
})

describe('the option errors', () => {
  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['a promise', () => Promise.resolve(respond('x', { status: 400 }))],
    ['a promise that rejects', () => Promise.reject(new Error('x'))],
    ['data', () => ({ id: 7 })],
    ['text', () => 'x'],
  ])('H27: that gives %s is a 500 that is logged', async (_, errors) => {
    const { status, body, log } = await answerTo(new HttpError(404, 'x'), { errors: errors as never })
    expect([status, body]).toEqual([500, unexposed])
    expect(log.map(({ details }) => (details as Error).message)).toEqual([
      expect.stringContaining('return respond('),
    ])
  })

  it.each<[string, () => unknown]>([
    ['respond()', () => respond('x', { status: 400 })],
    ['a web response', () => new Response('x', { status: 400 })],
    ['an envelope', () => ({ statusCode: 400, body: 'x' })],
  ])('H27: may give %s', async (_, errors) => {
    const response = await answer(
      source!,
      {},
      () => {
        throw new HttpError(404, 'x')
      },
      { errors: errors as never },
    )
    expect([response.statusCode, response.body, response.logger.errors]).toEqual([400, 'x', []])
  })
})

describe('the log', () => {
  it('H33: pino has the error', async () => {
    const lines: string[] = []
    const log = pino({}, { write: (line: string) => lines.push(line) })
    const logger = {
      error: (message: string, error?: unknown) => {
        log.error({ err: error }, message)
      },
      warn: (message: string, error?: unknown) => {
        log.warn({ err: error }, message)
      },
    }
    await answer(
      source!,
      {},
      () => {
        throw new Error('hunter2')
      },
      { logger },
    )
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 50,
      msg: expect.stringMatching(/^GET \/ failed/) as string,
      err: { message: 'hunter2' },
    })
  })

  it('H33: no line ends in undefined', async () => {
    const calls: unknown[][] = []
    const logger = {
      error: (...args: unknown[]) => {
        calls.push(args)
      },
      warn: (...args: unknown[]) => {
        calls.push(args)
      },
    }

    await answer(
      source!,
      {},
      () => {
        throw undefined
      },
      { logger },
    )
    await answer(source!, {}, () => respond('x', { cookies: ['a=1', 'b=2'] }), { logger })
    expect(calls.map(({ length }) => length)).toEqual([1, 1])
  })

  it.each(sources)('H34: the line of a failure behind $name names the request', async (each) => {
    const response = await answer(each, { path: '/a' }, (request) => {
      throw new Error(request.requestId)
    })
    const [line] = response.logger.errors
    const id = (line?.details as Error).message
    expect(line?.message).toBe(id === '' ? 'GET /a failed' : `GET /a failed (request ${id})`)
  })

  it('H34: an event that somebody made up breaks no line', async () => {
    const logger = new RecordingLogger()
    const handler = middy()
      .use(source!.normalizer({ logger }))
      .handler(() => {
        throw new Error('x')
      })
    await invoke(handler, {
      ...source!.event(),
      httpMethod: 'GET\nforged line',
      path: '/a\nb',
      headers: { 'x-amzn-trace-id': 'x\ny' },
    })
    expect(logger.errors[0]?.message).toMatch(/^GET%0A\S* \S+ failed \(request x%0Ay\)$/)
  })
})
