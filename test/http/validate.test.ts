import middy from '@middy/core'
import { ValidationError, eachRecord, sqs, validate } from 'clearskies-middy'
import { alb } from 'clearskies-middy/normalizers/alb'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { albEvent, restApiEvent, sqsEvent } from 'clearskies-middy/testing'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'
import { type SourceResponse, invoke } from '../support/sources.ts'

const schemas = {
  zod: {
    data: z.object({ title: z.string().min(2), price: z.number().default(1) }),
    query: z.object({
      page: z.coerce.number().int().default(1),
      tag: z.union([z.string(), z.array(z.string())]).optional(),
    }),
    pathParameters: z.object({ id: z.string().regex(/^\d+$/) }),
    headers: z.object({ 'x-shop': z.string() }),
  },
  'zod, asynchronous': {
    data: z.object({
      title: z.string().refine(async (title) => Promise.resolve(title.length > 1)),
      price: z.number().default(1),
    }),
    query: z.object({ page: z.coerce.number().int().default(1), tag: z.any().optional() }),
    pathParameters: z.object({ id: z.string().refine(async (id) => Promise.resolve(/^\d+$/.test(id))) }),
    headers: z.object({ 'x-shop': z.string() }),
  },
  valibot: {
    data: v.object({ title: v.pipe(v.string(), v.minLength(2)), price: v.optional(v.number(), 1) }),
    query: v.object({
      page: v.optional(v.pipe(v.string(), v.transform(Number), v.integer()), '1'),
      tag: v.optional(v.any()),
    }),
    pathParameters: v.object({ id: v.pipe(v.string(), v.regex(/^\d+$/)) }),
    headers: v.object({ 'x-shop': v.string() }),
  },
}

describe.each(Object.entries(schemas))('validate() with %s', (_, parts) => {
  const handler = middy()
    .use(restApi({ logger: new RecordingLogger() }))
    .use(validate(parts as (typeof schemas)['zod']))
    .handler(({ data, query, pathParameters, headers }) => ({
      title: data.title,
      price: data.price + 1,
      page: query.page + 1,
      text: query.get('page'),
      tag: query.tag,
      id: pathParameters.id,
      shop: headers['x-shop'],
    }))
  const good = {
    path: '/products/7?page=2&tag=a&tag=b',
    resource: '/products/{id}',
    headers: { 'X-Shop': 'berlin' },
    body: { title: 'Solaris', other: 1 },
  }

  it('puts what the schemas make in the place of what came', async () => {
    const { statusCode, body } = await invoke<SourceResponse>(handler, restApiEvent(good))
    expect([statusCode, JSON.parse(body)]).toEqual([
      200,
      { title: 'Solaris', price: 2, page: 3, text: '2', tag: ['a', 'b'], id: '7', shop: 'berlin' },
    ])
  })

  it('answers 400 with every finding and its place', async () => {
    const { statusCode, body } = await invoke<SourceResponse>(
      handler,
      restApiEvent({
        path: '/products/hunter2?page=x',
        resource: '/products/{id}',
        body: { title: 'h', price: 'hunter2' },
      }),
    )
    const { errors, ...problem } = JSON.parse(body) as {
      errors: { in: string; path: string[]; message: string }[]
    }
    expect([statusCode, problem]).toEqual([
      400,
      { title: 'Bad Request', status: 400, detail: 'The request is not valid' },
    ])
    // A schema may stop at the first finding of an object.
    const places = errors.map(({ in: part, path }) => `${part}.${path.join('.')}`)
    expect(places).toEqual(
      expect.arrayContaining(['data.price', 'query.page', 'pathParameters.id', 'headers.x-shop']),
    )
  })

  it('takes malformed JSON for what it is', async () => {
    expect((await invoke<SourceResponse>(handler, restApiEvent({ ...good, body: '{' }))).statusCode).toBe(400)
  })
})

describe('validate()', () => {
  it("answers in clearskies' envelope", async () => {
    const handler = middy()
      .use(alb({ errors: 'clearskies' }))
      .use(validate({ data: z.object({ title: z.string(), author: z.object({ name: z.string() }) }) }))
      .handler(() => 1)
    const { statusCode, body } = await invoke<SourceResponse>(handler, albEvent({ body: { author: {} } }))
    expect([statusCode, JSON.parse(body)]).toMatchObject([
      400,
      {
        status: 'input_errors',
        error: 'The request is not valid',
        input_errors: { title: expect.any(String) as string, 'author.name': expect.any(String) as string },
      },
    ])
  })

  it('checks direct invocations and records', async () => {
    const data = z.object({ id: z.string() })
    const direct = middy()
      .use(invocation())
      .use(validate({ data }))
      .handler((request) => request.data.id)
    expect(await invoke(direct, { id: '7' })).toBe('7')
    await expect(invoke(direct, { id: 7 })).rejects.toThrow(ValidationError)
    const oneRecord = middy()
      .use(validate({ data }))
      .handler((request) => request.data.id)
    const records = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(eachRecord(oneRecord))
    expect(
      await invoke(
        records,
        sqsEvent([
          { messageId: 'a', body: { id: '7' } },
          { messageId: 'b', body: {} },
        ]),
      ),
    ).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }] })
  })

  it('refuses what is no schema', () => {
    expect(() => validate({ data: {} as never })).toThrow('validate(): the option "data" has a wrong value')
    expect(() => validate({ body: z.string() } as never)).toThrow('validate() has no option "body"')
  })
})

describe('what validate() leaves', () => {
  it('Y4: a name of a method of URLSearchParams stays the method, its value is in request.valid', async () => {
    const query = z.object({ sort: z.string(), size: z.string(), get: z.string(), page: z.coerce.number() })
    const handler = middy()
      .use(restApi())
      .use(validate({ query }))
      .handler((request) => [
        request.query.get('sort'),
        request.query.size,
        request.query.page,
        request.valid.query,
      ])
    const { body } = await invoke<SourceResponse>(
      handler,
      restApiEvent({ path: '/?sort=title&size=M&get=x&page=2' }),
    )
    expect(JSON.parse(body)).toEqual(['title', 4, 2, { sort: 'title', size: 'M', get: 'x', page: 2 }])
  })

  it('request.valid has the parts of every validate() of the chain', async () => {
    const handler = middy()
      .use(restApi())
      .use(validate({ data: z.object({ id: z.string() }) }))
      .use(validate({ query: z.object({ page: z.coerce.number() }) }))
      .handler(({ valid }) => valid)
    const { body } = await invoke<SourceResponse>(
      handler,
      restApiEvent({ path: '/?page=2', body: { id: '7', other: 1 } }),
    )
    expect(JSON.parse(body)).toEqual({ data: { id: '7' }, query: { page: 2 } })
  })
})
