import {
  type AnyHandler,
  type PollInvocation,
  albEvent,
  functionUrlEvent,
  httpApiEvent,
  poll,
  restApiEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bundles, formats } from './bundles.ts'
import { LambdaFunction } from './lambda-function.ts'
import { type ShopEngines, startShopEngines } from './shop-engines.ts'

const bundles = new Bundles()
let shop: ShopEngines
const roots: Record<string, string> = {}

beforeAll(async () => {
  shop = await startShopEngines()
  for (const format of formats)
    roots[format] = await bundles.make('test/e2e/lambda-runtime/handlers.ts', format)
  await using table = await run('createTable')
  await table.call(null)
})
afterAll(async () => {
  bundles[Symbol.dispose]()
  await shop.stop()
})

/** A function with one of the handlers, in an environment with the shop's engines. */
function run(
  name: string,
  { format = 'cjs', env = {} }: { format?: string; env?: Record<string, string> } = {},
): Promise<LambdaFunction> {
  return LambdaFunction.start({
    root: String(roots[format]),
    handler: `handler.${name}`,
    env: { ...shop.env, ...env },
  })
}

interface Answer {
  readonly statusCode: number
  readonly body: string
  readonly isBase64Encoded?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
}

async function answer(lambda: LambdaFunction, event: unknown): Promise<Answer> {
  return (await lambda.call(event)) as Answer
}

describe.each(formats)('the shop on the runtime, bundled as %s', (format) => {
  it.each([
    ['albHandler', 'a load balancer in single-value mode', albEvent],
    [
      'albHandler',
      'a load balancer in multi-value mode',
      (request: object) => albEvent({ ...request, multiValue: true }),
    ],
    ['restApiHandler', 'a REST API', restApiEvent],
    ['httpApiHandler', 'an HTTP API', httpApiEvent],
    ['httpApiHandler', 'a function URL', functionUrlEvent],
  ])('%s behind %s: a product is created, refused, read and deleted', async (name, source, makeEvent) => {
    await using lambda = await run(name, { format })
    const product = { author: 'Stanisław Lem', title: `${source}: 100%, ${format}`, price: 8.5 }
    const path = `/products/${encodeURIComponent(product.author)}/${encodeURIComponent(product.title)}`
    const ask = (method: string, at: string, body?: object) =>
      answer(lambda, (makeEvent as (request: object) => unknown)({ method, path: at, ...(body && { body }) }))
    const replies = [
      await ask('POST', '/products', product),
      await ask('POST', '/products', product),
      await ask('GET', path),
      await ask('DELETE', path),
      await ask('GET', path),
    ]
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([200, 409, 200, 204, 404])
    expect(JSON.parse(String(replies[2]?.body))).toEqual(product)
    const logo = await ask('GET', '/logo.png')
    expect([logo.isBase64Encoded, Buffer.from(logo.body, 'base64').toString('latin1', 1, 4)]).toEqual([
      true,
      'PNG',
    ])
    const { headers, multiValueHeaders } = replies[0] as Answer
    const type = 'application/json; charset=utf-8'
    if (source.includes('multi-value')) expect(multiValueHeaders?.['content-type']).toEqual([type])
    else expect(headers?.['content-type']).toBe(type)
  })

  it('a direct invocation gives the value itself, and its errors with their names', async () => {
    await using lambda = await run('createProductHandler', { format })
    const product = { author: 'Ursula K. Le Guin', title: `Lavinia, ${format}`, price: 9 }
    expect(await lambda.call(product)).toEqual(product)
    expect(await lambda.invoke(product)).toMatchObject({
      kind: 'error',
      error: { errorType: 'ConflictError' },
    })
  })

  it('an order goes from a request through the queue to the worker, and into PostgreSQL', async () => {
    await using api = await run('httpApiHandler', { format })
    await using worker = await run('worker', { format })
    const book = { author: 'Octavia E. Butler', title: `Kindred, ${format}` }
    await answer(api, httpApiEvent({ method: 'POST', path: '/products', body: { ...book, price: 10 } }))
    const placed = await answer(api, httpApiEvent({ method: 'POST', path: '/orders', body: book }))
    expect(placed.statusCode).toBe(202)
    const { id } = JSON.parse(placed.body) as { id: string }

    const { promise, resolve } = Promise.withResolvers<PollInvocation>()
    const throughRuntime: AnyHandler = (event: unknown) => worker.call(event)
    await using _poller = poll(shop.engines.queueUrl, throughRuntime, { onInvocation: resolve })
    expect(await promise).toMatchObject({ messageIds: [expect.any(String)], failed: [] })

    const read = await answer(api, httpApiEvent({ path: `/orders/${id}` }))
    expect(JSON.parse(read.body)).toMatchObject({ id, state: 'worked', quantity: 1 })
    expect(shop.postgres.server.logins.at(-1)).toMatchObject({ user: 'shop', isEncrypted: true })
  })

  it('a batch answers with its failed records alone', async () => {
    await using worker = await run('worker', { format })
    const forged = { id: 'forged', signature: '0'.repeat(64) }
    expect(
      await worker.call(
        sqsEvent([
          { body: '{"id": "malformed', messageId: 'malformed' },
          { body: forged, messageId: 'forged' },
        ]),
      ),
    ).toEqual({ batchItemFailures: [{ itemIdentifier: 'malformed' }, { itemIdentifier: 'forged' }] })
    expect(worker.log.join('\n')).toContain('Record forged failed')
  })
})

describe('errors on the runtime', () => {
  it('an unexpected error behind HTTP is a response that tells nothing, and a log that tells all', async () => {
    await using lambda = await run('failingHttp')
    const { statusCode, body } = await answer(lambda, httpApiEvent({ path: '/secret' }))
    expect([statusCode, JSON.parse(body)]).toEqual([500, { title: 'Internal Server Error', status: 500 }])
    const log = lambda.log.join('\n')
    expect(log).toContain('GET /secret failed')
    expect(log).toContain('The password is hunter2')
  })

  it('an error of a direct invocation reaches the caller with its name, message and trace', async () => {
    await using lambda = await run('failingInvocation')
    expect(await lambda.invoke({})).toMatchObject({
      kind: 'error',
      error: { errorType: 'RangeError', errorMessage: 'Not today', trace: expect.any(Array) },
    })
  })

  it('an event of another source fails the invocation, and the next one is answered', async () => {
    await using lambda = await run('counting')
    expect(await lambda.invoke(sqsEvent([{ body: 1 }]))).toMatchObject({
      kind: 'error',
      error: {
        errorType: 'InvalidEventError',
        errorMessage: expect.stringMatching(/^httpApi\(\) takes .* and got "aws:sqs"/),
      },
    })
    expect((await answer(lambda, httpApiEvent())).statusCode).toBe(200)
  })

  it('a wrong option is an error of the start, which names it', async () => {
    const root = await bundles.make('test/e2e/lambda-runtime/wrong-option.ts', 'esm')
    await using lambda = await LambdaFunction.start({ root, handler: 'handler.handler' })
    const { errorType, errorMessage, exitCode } = await lambda.initError()
    expect([errorType, errorMessage]).toEqual([
      'TypeError',
      expect.stringContaining('httpApi() has no option "trustedProxy"; it has '),
    ])
    expect(exitCode).not.toBe(0)
  })

  it('a response larger than Lambda takes is a 500 that the library logs, and not a failed invocation', async () => {
    await using lambda = await run('large')
    const fits = await answer(lambda, httpApiEvent({ path: '/?bytes=6000000' }))
    expect([fits.statusCode, fits.body.length]).toEqual([200, 6_000_000])
    const { statusCode } = await answer(lambda, httpApiEvent({ path: '/?bytes=6400000' }))
    expect(statusCode).toBe(500)
    expect(lambda.log.join('\n')).toContain('ResponseTooLargeError')
  })
})

describe('time on the runtime', () => {
  it('an invocation that never answers is ended by Lambda, and a new environment takes the next', async () => {
    const lambda = await run('stuck')
    await lambda.ready
    expect(await lambda.invoke(httpApiEvent(), { timeout: 500 })).toEqual({ kind: 'timeout' })
    await lambda[Symbol.asyncDispose]()
    await using next = await run('counting')
    expect((await answer(next, httpApiEvent())).statusCode).toBe(200)
  })

  it("behind HTTP Middy's early answer is a response in the source's form", async () => {
    await using lambda = await run('late')
    await lambda.ready
    const outcome = await lambda.invoke(httpApiEvent(), { timeout: 1000 })
    expect(outcome).toMatchObject({ kind: 'response', value: { statusCode: 500 } })
    expect(lambda.log.join('\n')).toContain('TimeoutError')
  })

  it('a batch with a record that never ends is answered in time, and lists that one alone', async () => {
    await using lambda = await run('partlyStuck')
    await lambda.ready
    const event = sqsEvent([
      { body: '"done"', messageId: 'done' },
      { body: '"stuck"', messageId: 'stuck' },
      { body: '"done"', messageId: 'done, too' },
    ])
    expect(await lambda.call(event, { timeout: 2000 })).toEqual({
      batchItemFailures: [{ itemIdentifier: 'stuck' }],
    })
  })
})

describe('many invocations on the runtime', () => {
  it('a hundred one after the other run in one process, each with its own event and context', async () => {
    await using lambda = await run('counting')
    const seen: Record<string, unknown>[] = []
    for (let index = 0; index < 100; index++) {
      const { body } = await answer(lambda, httpApiEvent({ path: `/${index}` }))
      seen.push(JSON.parse(body) as Record<string, unknown>)
    }
    expect(seen.map(({ path, invocations }) => [path, invocations])).toEqual(
      Array.from({ length: 100 }, (_, index) => [`/${index}`, index + 1]),
    )
    expect(new Set(seen.map(({ awsRequestId }) => awsRequestId)).size).toBe(100)
    expect(seen.every(({ hasTime }) => hasTime)).toBe(true)
  })

  const atOnce = { AWS_LAMBDA_MAX_CONCURRENCY: '10', AWS_LAMBDA_NODEJS_WORKER_COUNT: '1' }

  it('invocations at once in one worker do not see one another', async () => {
    await using lambda = await run('meeting', { env: atOnce })
    const paths = ['/1', '/2', '/3', '/4', '/5']
    const answers = await Promise.all(
      paths.map((path) => answer(lambda, httpApiEvent({ path: `${path}?of=5` }))),
    )
    const bodies = answers.map(({ body }) => JSON.parse(body) as { path: string; awsRequestId: string })
    expect(bodies.map(({ path }) => path)).toEqual(paths)
    expect(new Set(bodies.map(({ awsRequestId }) => awsRequestId)).size).toBe(5)
  })

  it('fifty invocations at once in two workers each see their own scope and deadline', async () => {
    const env = { AWS_LAMBDA_MAX_CONCURRENCY: '50', AWS_LAMBDA_NODEJS_WORKER_COUNT: '2' }
    await using lambda = await run('beside', { env })
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const timeout = 20_000 + index * 1000
        const { body } = (await lambda.call(httpApiEvent({ path: `/${index}` }), { timeout })) as Answer
        return { ...(JSON.parse(body) as { path: string; isOwn: boolean; left: number }), index, timeout }
      }),
    )
    for (const { path, isOwn, left, index, timeout } of answers) {
      expect(path).toBe(`/${index}`)
      expect(isOwn, path).toBe(true)
      expect(left, path).toBeLessThanOrEqual(timeout)
      expect(left, path).toBeGreaterThan(timeout - 10_000)
    }
  })

  it('invocations at once share backends, and each waits for what it has sent', async () => {
    await using lambda = await run('httpApiHandler', { env: atOnce })
    const book = { author: 'N. K. Jemisin', title: 'The Fifth Season' }
    await answer(lambda, httpApiEvent({ method: 'POST', path: '/products', body: { ...book, price: 11 } }))
    const placed = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        answer(
          lambda,
          httpApiEvent({ method: 'POST', path: '/orders', body: { ...book, quantity: index + 1 } }),
        ),
      ),
    )
    expect(placed.map(({ statusCode }) => statusCode)).toEqual([202, 202, 202, 202, 202])
    const orders = placed.map(({ body }) => JSON.parse(body) as { id: string; quantity: number })
    expect(orders.map(({ quantity }) => quantity)).toEqual([1, 2, 3, 4, 5])

    const { promise, resolve } = Promise.withResolvers<undefined>()
    const worked = new Set<string>()
    await using worker = await run('worker')
    await using _poller = poll(
      shop.engines.queueUrl,
      ((event: unknown) => worker.call(event)) as AnyHandler,
      {
        onInvocation: ({ messageIds, failed }) => {
          for (const id of messageIds) if (!failed.includes(id)) worked.add(id)
          if (worked.size === 5) resolve(undefined)
        },
      },
    )
    await promise
    for (const { id } of orders) {
      const { body } = await answer(lambda, httpApiEvent({ path: `/orders/${id}` }))
      expect(JSON.parse(body)).toMatchObject({ id, state: 'worked' })
    }
  })
})
