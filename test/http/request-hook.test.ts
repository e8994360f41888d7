// The option `onRequest`: told of each request once, at its end, and without a say in the response.
import middy from '@middy/core'
import httpCors from '@middy/http-cors'
import { HttpError, type HttpRequest, type RequestOutcome, alb, respond } from 'clearskies-middy'
import {
  type AnyHandler,
  type DescribedRequest,
  httpApiEvent,
  restApiEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { type SourceResponse, sources, invoke } from '../support/sources.ts'

const cores = [
  ['7', middy],
  ['6', middy6 as unknown as typeof middy],
] as const

afterEach(() => {
  vi.useRealTimers()
})

function failing(error: unknown): () => never {
  return () => {
    throw error
  }
}

/** A chain around a handler. */
function chain(
  core: typeof middy,
  middlewares: readonly object[],
  handler: (request: HttpRequest) => unknown,
): AnyHandler {
  const wrapped = core()
  for (const middleware of middlewares) wrapped.use(middleware as never)
  return wrapped.handler(handler as never)
}

const early = { before: () => respond('early', { status: 401 }) }
const failingAfter = { after: failing(new Error('after')) }
const cors = httpCors({ origin: '*', disableBeforePreflightResponse: false })

interface Ending {
  readonly what: string
  readonly status: number
  readonly handler: () => unknown
  readonly others?: readonly object[]
  readonly request?: DescribedRequest
}

/** How a request may end, and the status that it ends with. */
const endings: readonly Ending[] = [
  { what: 'an object', status: 200, handler: () => ({ a: 1 }) },
  { what: 'nothing', status: 204, handler: () => undefined },
  { what: 'a promise', status: 202, handler: async () => Promise.resolve(respond('x', { status: 202 })) },
  { what: 'a web response', status: 201, handler: () => new Response('x', { status: 201 }) },
  {
    what: 'a stream that breaks',
    status: 500,
    handler: async function* stream() {
      yield await Promise.resolve('a')
      throw new Error('broken')
    },
  },
  { what: 'an error of the caller', status: 404, handler: failing(new HttpError(404, 'none')) },
  { what: 'an error that is not exposed', status: 500, handler: failing(new Error('hunter2')) },
  { what: 'a thrown response', status: 403, handler: failing(respond('no', { status: 403 })) },
  { what: 'a result that cannot be encoded', status: 500, handler: () => ({ a: 1n }) },
  {
    what: 'a result that cannot be encoded, beside another middleware',
    status: 500,
    handler: () => ({ a: 1n }),
    others: [httpCors({ origin: '*' })],
  },
  { what: 'an early answer', status: 401, handler: () => 'never', others: [early] },
  {
    what: 'an early answer that cannot be encoded',
    status: 500,
    handler: () => 'never',
    others: [{ before: () => ({ a: 1n }) }],
  },
  {
    what: 'a preflight',
    status: 204,
    handler: () => 'never',
    others: [cors],
    request: { method: 'OPTIONS' },
  },
  { what: 'a middleware that fails', status: 500, handler: () => 1, others: [failingAfter] },
  {
    what: 'a middleware that answers an error',
    status: 418,
    handler: failing(new Error('x')),
    others: [
      { onError: (request: { response: unknown }) => void (request.response = respond(1, { status: 418 })) },
    ],
  },
]

describe.each(cores)('on Middy %s', (_, core) => {
  describe.each(sources)('behind $name', ({ name, normalizer, event }) => {
    // Node's own server has sent a status when a stream breaks.
    it.each(endings.filter(({ what }) => name !== 'node-http' || what !== 'a stream that breaks'))(
      'H34: onRequest is told once of $what',
      async ({ status, handler, others = [], request = {} }) => {
        const told: RequestOutcome[] = []
        const chain = core()
        chain.use(normalizer({ logger: new RecordingLogger(), onRequest: (one) => told.push(one) }) as never)
        for (const middleware of others) chain.use(middleware as never)
        const response = await invoke<SourceResponse>(chain.handler(handler as never), event(request))
        expect(response.statusCode).toBe(status)
        expect(told).toEqual([
          expect.objectContaining({
            method: request.method ?? 'GET',
            status,
            milliseconds: expect.any(Number) as number,
          }),
        ])
        expect(told[0]?.milliseconds).toBeGreaterThanOrEqual(0)
      },
    )

    it.each([
      ['throws', failing(new Error('metrics are down'))],
      ['rejects', async () => Promise.reject(new Error('metrics are down'))],
      ['never settles', async () => new Promise(() => {})],
      ['throws nothing', failing(undefined)],
    ])('an onRequest that %s changes nothing', async (__, onRequest) => {
      const logger = new RecordingLogger()
      const handler = chain(core, [normalizer({ logger, onRequest })], () =>
        respond({ a: 1 }, { status: 201 }),
      )
      const response = await invoke<SourceResponse>(handler, event())
      expect([response.statusCode, response.body]).toEqual([201, '{"a":1}'])
      await Promise.resolve()
      expect(logger.errors).toEqual([])
      expect(logger.warnings.map(({ message }) => message)).toEqual(
        onRequest.toString().includes('Promise(') ? [] : ['The hook onRequest() threw'],
      )
    })
  })

  it('onRequest of many requests at once: each has its own facts', async () => {
    const told: RequestOutcome[] = []
    const release: (() => void)[] = []
    const handler = chain(core, [alb({ onRequest: (outcome) => told.push(outcome) })], async ({ query }) => {
      await new Promise<void>((resolve) => release.push(resolve))
      return respond('', { status: Number(query.get('status')) })
    })
    const event = sources[0]!.event
    const statuses = [200, 201, 404, 503]
    const running = statuses.map((status) =>
      invoke(handler, event({ method: `M${status}`, path: `/?status=${status}` })),
    )
    while (release.length < statuses.length) await Promise.resolve()
    for (const go of release.toReversed()) go()
    await Promise.all(running)
    expect(told.map(({ method, status }) => [method, status]).toSorted()).toEqual(
      statuses.map((status) => [`M${status}`, status]),
    )
  })

  it('onRequest has the time between the event and the response, by a clock that nobody sets', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] })
    const told: RequestOutcome[] = []
    const handler = chain(
      core,
      [
        alb({ onRequest: (outcome) => told.push(outcome) }),
        {
          before: () => {
            vi.advanceTimersByTime(1500)
            vi.setSystemTime(Date.now() - 60_000)
          },
        },
      ],
      () => {
        vi.advanceTimersByTime(500)
      },
    )
    await invoke(handler, sources[0]!.event())
    expect(told.map(({ milliseconds }) => milliseconds)).toEqual([2000])
  })

  it('onRequest is told once where a middleware in front fails behind the response', async () => {
    const onRequest = vi.fn()
    const handler = chain(core, [failingAfter, alb({ logger: new RecordingLogger(), onRequest })], () => 1)
    expect((await invoke<SourceResponse>(handler, sources[0]!.event())).statusCode).toBe(500)
    expect(onRequest).toHaveBeenCalledTimes(1)
  })

  it('onRequest is told of a request whose event a middleware in front refuses', async () => {
    const onRequest = vi.fn()
    const handler = chain(
      core,
      [{ before: failing(new HttpError(429, 'slow down')) }, alb({ onRequest })],
      () => 1,
    )
    expect((await invoke<SourceResponse>(handler, sources[0]!.event())).statusCode).toBe(429)
    expect(onRequest).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ status: 429 }))
  })

  it('onRequest is not told of an event of another source', async () => {
    const onRequest = vi.fn()
    const handler = chain(core, [alb({ onRequest })], () => 1)
    await expect(invoke(handler, sqsEvent([{ body: 'x' }]))).rejects.toThrow('alb()')
    expect(onRequest).not.toHaveBeenCalled()
  })
})

it.each([
  [
    'REST API',
    sources.find(({ name }) => name === 'rest-api')!,
    restApiEvent({ method: 'put', path: '/products/7?page=2', resource: '/products/{id}' }),
  ],
  [
    'HTTP API',
    sources.find(({ name }) => name === 'http-api')!,
    httpApiEvent({ method: 'put', path: '/products/7?page=2', route: '/products/{id}' }),
  ],
])('onRequest has the template of the route and the id, behind %s', async (_, { normalizer }, event) => {
  const onRequest = vi.fn()
  const handler = middy()
    .use(normalizer({ onRequest }))
    .handler(() => 1)
  await invoke(handler, event)
  expect(onRequest).toHaveBeenCalledExactlyOnceWith({
    method: 'PUT',
    route: '/products/{id}',
    status: 200,
    milliseconds: expect.any(Number) as number,
    requestId: (event.requestContext as { requestId: string }).requestId,
  })
})

it('onRequest has no route where the source knows none, and the trace as the id', async () => {
  const onRequest = vi.fn()
  const handler = middy()
    .use(alb({ onRequest }))
    .handler(() => 1)
  await invoke(handler, sources[0]!.event())
  expect(onRequest).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ route: undefined, requestId: expect.stringMatching(/^Root=/) as string }),
  )
})

it.each([null, 'log', {}, true])('an onRequest that is no function is refused: %j', (onRequest) => {
  expect(() => alb({ onRequest: onRequest as never })).toThrow(
    'alb(): the option "onRequest" has a wrong value',
  )
})
