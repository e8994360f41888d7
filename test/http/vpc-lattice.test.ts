import middy from '@middy/core'
import { HttpError, InvalidEventError, respond } from 'clearskies-middy'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { vpcLattice, vpcLatticeRequest, vpcLatticeResponse } from 'clearskies-middy/normalizers/vpc-lattice'
import {
  type DescribedRequest,
  gateway,
  invoke,
  lambdaContext,
  vpcLatticeEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'

const context = lambdaContext()

/** One request in both versions of the event structure. */
function versions(described: DescribedRequest = {}): [string, object][] {
  return [
    ['version 1', vpcLatticeEvent({ ...described, version: 1 })],
    ['version 2', vpcLatticeEvent(described)],
  ]
}

describe('vpcLattice(): the request', () => {
  it.each(versions({ path: '/a%20b?tag=a&tag=b&q=x+y%2Bz&q=100%25&flag' }))(
    'E72: the query is read from the path, each value once, decoded once: %s',
    (_, event) => {
      const { path, rawPath, rawQueryString, query } = vpcLatticeRequest(event, context)
      const sent = 'tag=a&tag=b&q=x+y%2Bz&q=100%25&flag'
      expect([path, rawPath, rawQueryString]).toEqual(['/a%20b', '/a%20b', sent])
      expect([...query]).toEqual([
        ['tag', 'a'],
        ['tag', 'b'],
        ['q', 'x y+z'],
        ['q', '100%'],
        ['flag', ''],
      ])
    },
  )

  it('E72: a question mark in a value is a part of the query', () => {
    const request = vpcLatticeRequest({ ...vpcLatticeEvent(), path: '/a?b=c?d' }, context)
    expect([request.path, request.query.get('b')]).toEqual(['/a', 'c?d'])
  })

  it.each([
    ['texts', { tag: 'b', q: 'x y' }, ['b']],
    ['lists', { tag: ['a', 'b'], q: ['x y'] }, ['a', 'b']],
    ['nothing', null, []],
  ])('E73: without a query in the path the map of %s counts', (_, map, tags) => {
    for (const event of [
      { ...vpcLatticeEvent({ version: 1 }), query_string_parameters: map },
      { ...vpcLatticeEvent(), queryStringParameters: map },
    ]) {
      const { query } = vpcLatticeRequest(event, context)
      expect([query.getAll('tag'), query.get('q')]).toEqual([tags, map && 'x y'])
    }
  })

  it.each([
    ['lists', { 'x-many': ['a', 'b'], cookie: ['a=1', 'b=2'], accept: ['*/*'] }, ['a', 'b']],
    ['texts', { 'x-many': 'a, b', cookie: 'a=1; b=2', accept: '*/*' }, ['a, b']],
    ['both', { 'x-many': ['a', 'b'], cookie: 'a=1; b=2', accept: '*/*' }, ['a', 'b']],
  ])('E74: headers may be %s', (_, headers, values) => {
    for (const [, event] of versions()) {
      const request = vpcLatticeRequest({ ...event, headers }, context)
      expect([request.header('X-Many'), request.headerValues('x-many')]).toEqual(['a, b', values])
      expect({ ...request.headers }).toEqual({ 'x-many': 'a, b', cookie: 'a=1; b=2', accept: '*/*' })
      expect({ ...request.cookies }).toEqual({ a: '1', b: '2' })
    }
  })

  it('E75: version 2 says "2.0" and is no HTTP API', () => {
    expect(() => httpApiRequest(vpcLatticeEvent(), context)).toThrow(InvalidEventError)
  })

  it('E76: the caller is known by its principal where the service has authenticated it', () => {
    const principal = 'arn:aws:sts::123456789012:assumed-role/orders/0123'
    const callerOf = (identity: Record<string, unknown>): unknown =>
      vpcLatticeRequest(vpcLatticeEvent({ identity }), context).authorizer
    expect(callerOf({ type: 'AWS_IAM', principal })).toEqual({ kind: 'iam', userArn: principal })
    expect(callerOf({ principal })).toEqual({ kind: 'none' })
    expect(callerOf({})).toEqual({ kind: 'none' })
    expect(vpcLatticeRequest(vpcLatticeEvent({ version: 1 }), context).authorizer).toEqual({ kind: 'none' })
  })

  it.each(versions())('E79: anyHttp() takes it: %s', (_, event) => {
    expect(anyHttpRequest(event, context).source).toBe('vpc-lattice')
  })

  it.each(versions())('E80: an empty body is none: %s', (_, event) => {
    const request = vpcLatticeRequest({ ...event, body: '' }, context)
    expect([request.hasBody, request.body, request.data]).toEqual([false, undefined, undefined])
  })

  it.each(versions({ method: 'PUT', body: new Uint8Array([255, 0]) }))(
    'E80: a body of bytes is read from base64: %s',
    (_, event) => {
      const request = vpcLatticeRequest(event, context)
      expect([request.method, [...request.bytes()], request.isBase64Encoded]).toEqual(['PUT', [255, 0], true])
    },
  )

  it('a write to the request changes nothing in the event', () => {
    for (const [, event] of versions({ path: '/?a=1', body: { a: 1 }, cookies: { a: '1' } })) {
      const before = structuredClone(event)
      const request = vpcLatticeRequest(event, context)
      request.headers['x'] = 'y'
      request.data = 7
      expect(request.raw).toBe(event)
      expect(event).toEqual(before)
    }
  })
})

describe('vpcLattice(): the response', () => {
  const request = vpcLatticeRequest(vpcLatticeEvent(), context)

  it('E77: cookies are never joined; several lines are a list', () => {
    const result = respond('x', { cookies: ['a=1', 'b=2'], headers: { 'x-many': ['1', '2'] } })
    const headers = {
      'content-type': 'text/plain; charset=utf-8',
      'set-cookie': ['a=1', 'b=2'],
      'x-many': ['1', '2'],
    }
    expect(vpcLatticeResponse(result, request)).toEqual({
      isBase64Encoded: false,
      statusCode: 200,
      headers,
      body: 'x',
    })
  })

  it.each(versions())(
    'E78: bytes, nothing, HEAD and errors are answered as elsewhere: %s',
    async (_, event) => {
      const answer = (result: () => unknown, method = 'GET'): Promise<object> =>
        invoke(
          middy()
            .use(vpcLattice({ logger: new RecordingLogger() }))
            .handler(result),
          { ...event, method },
        )
      expect(await answer(() => new Uint8Array([255, 0]))).toMatchObject({
        isBase64Encoded: true,
        body: '/wA=',
      })
      expect(await answer(() => undefined)).toMatchObject({ statusCode: 204, headers: {}, body: '' })
      expect(await answer(() => 'text', 'HEAD')).toMatchObject({ statusCode: 200, body: '' })
      const failed = await answer(() => {
        throw new HttpError(418, 'short and stout')
      })
      expect(failed).toMatchObject({
        statusCode: 418,
        headers: { 'content-type': 'application/problem+json' },
      })
    },
  )

  it('E77, E78: gateway() hands lists and bytes to the client', async () => {
    const handler = middy()
      .use(vpcLattice())
      .handler(({ query }) =>
        respond(new Uint8Array([query.getAll('n').length]), { cookies: ['a=1', 'b=2'] }),
      )
    await using server = await gateway('vpc-lattice', handler)
    const response = await fetch(`${server.url}/?n=1&n=2`)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([2])
  })
})
