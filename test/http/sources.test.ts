import { HttpError, respond } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { answer, responseHeader, sources } from '../support/sources.ts'

describe.each(sources)('a handler behind $name', (source) => {
  const multiValued = source.name !== 'alb'

  it('reads method, path, query, headers, cookies, data and client', async () => {
    const seen: unknown[] = []
    await answer(
      source,
      {
        method: 'put',
        path: '/products/caf%C3%A9?tag=a&tag=b&q=x+y%2Bz&empty=',
        headers: { 'X-Shop': 'one' },
        cookies: { session: 'abc', theme: 'dark%20blue' },
        body: { title: 'Łódź' },
        clientIp: '198.51.100.4',
      },
      (request) => {
        const { method, path, query, cookies, data, clientIp, protocol, host, hasBody } = request
        seen.push({ method, path, tags: query.getAll('tag'), q: query.get('q'), empty: query.get('empty') })
        seen.push({
          header: request.header('x-SHOP'),
          cookies: { ...cookies },
          data,
          clientIp,
          protocol,
          host,
          hasBody,
        })
        seen.push(Object.getPrototypeOf(request.headers), Object.getPrototypeOf(cookies))
        return null
      },
    )
    expect(seen).toEqual([
      {
        method: 'PUT',
        path: '/products/caf%C3%A9',
        tags: multiValued ? ['a', 'b'] : ['b'],
        q: 'x y+z',
        empty: '',
      },
      {
        header: 'one',
        cookies: { session: 'abc', theme: 'dark blue' },
        data: { title: 'Łódź' },
        clientIp: '198.51.100.4',
        protocol: 'https',
        host: 'shop.example.com',
        hasBody: true,
      },
      null,
      null,
    ])
  })

  it.each([
    ['an object', { a: 1 }, 200, 'application/json; charset=utf-8', '{"a":1}'],
    ['a list', [1, 2], 200, 'application/json; charset=utf-8', '[1,2]'],
    ['a number', 7, 200, 'application/json; charset=utf-8', '7'],
    ['false', false, 200, 'application/json; charset=utf-8', 'false'],
    ['null', null, 200, 'application/json; charset=utf-8', 'null'],
    ['text', 'hello', 200, 'text/plain; charset=utf-8', 'hello'],
    ['nothing', undefined, 204, undefined, ''],
    ['respond()', respond({ a: 1 }, { status: 201 }), 201, 'application/json; charset=utf-8', '{"a":1}'],
    ['respond.html()', respond.html('<p>hi'), 200, 'text/html; charset=utf-8', '<p>hi'],
    ['respond.noContent()', respond.noContent(), 204, undefined, ''],
    ['an envelope', { statusCode: 202, body: 'x' }, 202, 'text/plain; charset=utf-8', 'x'],
    [
      'data that only looks like an envelope',
      { statusCode: 202, body: 'x', id: 7 },
      200,
      'application/json; charset=utf-8',
      '{"statusCode":202,"body":"x","id":7}',
    ],
  ])('answers %s', async (_, value, status, type, body) => {
    const response = await answer(source, {}, () => value)
    expect(response.statusCode).toBe(status)
    expect(responseHeader(response, 'content-type')).toEqual(type === undefined ? [] : [type])
    expect(response.body).toBe(body)
  })

  it('answers bytes as base64', async () => {
    const response = await answer(source, {}, () => new Uint8Array([0, 255, 16]))
    expect(response).toMatchObject({ statusCode: 200, body: 'AP8Q', isBase64Encoded: true })
    expect(responseHeader(response, 'content-type')).toEqual(['application/octet-stream'])
  })

  it('redirects', async () => {
    const response = await answer(source, {}, () => respond.redirect('/café', 303))
    expect(response.statusCode).toBe(303)
    expect(responseHeader(response, 'location')).toEqual(['/caf%C3%A9'])
  })

  it('sets cookies and repeated headers', async () => {
    const response = await answer(source, {}, () =>
      respond('ok', {
        headers: { Vary: ['accept', 'origin'] },
        cookies: [{ name: 'a', value: '1 2', httpOnly: true }, 'b=2; Path=/'],
      }),
    )
    // A load balancer in single-value mode can be told one only.
    expect(responseHeader(response, 'set-cookie')).toEqual(
      multiValued ? ['a=1%202; HttpOnly', 'b=2; Path=/'] : ['b=2; Path=/'],
    )
    expect(response.logger.warnings).toHaveLength(multiValued ? 0 : 1)
    expect(responseHeader(response, 'vary').join(', ')).toBe('accept, origin')
  })

  it('answers an error with its status and message', async () => {
    const response = await answer(source, {}, () => {
      throw new HttpError(418, 'short and stout', { headers: { 'x-pot': 'yes' } })
    })
    expect(response.statusCode).toBe(418)
    expect(responseHeader(response, 'content-type')).toEqual(['application/problem+json'])
    expect(responseHeader(response, 'x-pot')).toEqual(['yes'])
    expect(JSON.parse(response.body)).toEqual({
      title: "I'm a Teapot",
      status: 418,
      detail: 'short and stout',
    })
    expect(response.logger.errors).toEqual([])
  })

  it('tells nothing of an unexpected error, and logs it', async () => {
    const error = new Error('the password is hunter2')
    const response = await answer(source, { path: '/orders' }, () => {
      throw error
    })
    expect(response.statusCode).toBe(500)
    expect(JSON.parse(response.body)).toEqual({ title: 'Internal Server Error', status: 500 })
    expect(response.logger.errors).toEqual([
      {
        message: expect.stringMatching(/^GET \/orders failed(?: \(request \S+\))?$/) as string,
        details: error,
      },
    ])
  })

  it('answers malformed JSON with 400, and does not repeat it', async () => {
    const response = await answer(
      source,
      { headers: { 'content-type': 'application/json' }, body: '{"a": hunter2' },
      ({ data }) => data,
    )
    expect(response.statusCode).toBe(400)
    expect(JSON.parse(response.body)).toEqual({
      title: 'Bad Request',
      status: 400,
      detail: 'The request body is not valid JSON: it breaks at position 6',
    })
  })

  it("answers errors in clearskies' envelope", async () => {
    const fail = (): never => {
      throw new HttpError(403, 'not yours')
    }
    const response = await answer(source, {}, fail, { errors: 'clearskies' })
    expect(response.statusCode).toBe(403)
    expect(JSON.parse(response.body)).toEqual({
      status: 'client_error',
      error: 'not yours',
      data: [],
      pagination: {},
      input_errors: {},
    })
  })

  it('answers errors by a function of your own', async () => {
    const fail = (): never => {
      throw new Error('x')
    }
    const response = await answer(source, {}, fail, {
      errors: (error, { path }) => respond({ path, failed: String(error) }, { status: 503 }),
    })
    expect([response.statusCode, JSON.parse(response.body)]).toEqual([503, { path: '/', failed: 'Error: x' }])
  })

  it('leaves the event as it was', async () => {
    const event = source.event({ path: '/a?b=c', headers: { 'X-A': 'b' }, body: { c: 'd' } })
    const before = JSON.stringify(event)
    await answer({ ...source, event: () => event }, {}, (request) => {
      request.headers['x-a'] = 'changed'
      request.body = request.json()
      request.pathParameters = { id: '7' }
      return request.data
    })
    expect(JSON.stringify(event)).toBe(before)
  })
})

describe('the form of a response', () => {
  const respondFully = () =>
    respond({ a: 1 }, { status: 201, headers: { 'x-a': 'b', 'x-many': ['1', '2'] }, cookies: ['c=d'] })
  const type = 'application/json; charset=utf-8'
  const body = '{"a":1}'

  it.each([
    [
      'alb',
      {
        statusCode: 201,
        statusDescription: '201 Created',
        headers: { 'x-a': 'b', 'x-many': '1, 2', 'content-type': type, 'set-cookie': 'c=d' },
      },
    ],
    [
      'alb-multi-value',
      {
        statusCode: 201,
        statusDescription: '201 Created',
        multiValueHeaders: {
          'x-a': ['b'],
          'x-many': ['1', '2'],
          'content-type': [type],
          'set-cookie': ['c=d'],
        },
      },
    ],
    [
      'rest-api',
      {
        statusCode: 201,
        headers: { 'x-a': 'b', 'content-type': type },
        multiValueHeaders: { 'x-many': ['1', '2'], 'set-cookie': ['c=d'] },
      },
    ],
    [
      'http-api',
      { statusCode: 201, headers: { 'x-a': 'b', 'x-many': '1, 2', 'content-type': type }, cookies: ['c=d'] },
    ],
    [
      'http-api-1.0',
      {
        statusCode: 201,
        headers: { 'x-a': 'b', 'content-type': type },
        multiValueHeaders: { 'x-many': ['1', '2'], 'set-cookie': ['c=d'] },
      },
    ],
    [
      'function-url',
      { statusCode: 201, headers: { 'x-a': 'b', 'x-many': '1, 2', 'content-type': type }, cookies: ['c=d'] },
    ],
  ] as const)('has what %s takes, and nothing else', async (name, expected) => {
    const source = sources.find((one) => one.name === name)!
    const { logger: _, ...response } = await answer(source, {}, respondFully)
    expect(response).toEqual({ ...expected, body, isBase64Encoded: false })
  })
})
