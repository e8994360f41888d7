import middy from '@middy/core'
import { invocation, invocationRequest } from 'clearskies-middy/normalizers/invocation'
import { albEvent, invoke, lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'

describe('invocation()', () => {
  const echo = middy()
    .use(invocation())
    .handler(async ({ data }) => data)

  it.each([
    [null],
    ['text'],
    [5],
    [false],
    [[]],
    [{}],
    [{ id: 7 }],
    [{ httpMethod: 'GET' }],
    [{ body: 'x' }],
    [albEvent()],
  ])('takes the payload %j as data, and returns the value as it is', async (payload) => {
    expect(await invoke(echo, payload)).toEqual(payload)
  })

  it('takes no request of another normalizer, and says so', () => {
    const request = invocationRequest({ id: 7 }, lambdaContext())
    expect([request.kind, request.source]).toEqual(['invocation', 'invocation'])
    expect(() => invocationRequest(request, lambdaContext())).toThrow(
      'invocation() takes direct invocations and got "normalized": a normalizer stands in front of it already',
    )
  })

  it.each([
    ['an object', { kind: 'invocation', source: 'mine', data: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null), { kind: 'x', source: 'y', raw: 1 })],
  ])('a payload that looks like a request is data: %s', async (_, payload: object) => {
    expect(await invoke(echo, payload)).toEqual({ ...payload })
  })

  it('what the payload has stands on the request, too, under names that are free', () => {
    const payload = { order: 7, data: 'mine', id: 'mine', kind: 'mine' }
    const context = lambdaContext()
    const request = invocationRequest(payload, context)
    expect(Object.getOwnPropertyDescriptor(request, 'order')).toEqual({
      value: 7,
      enumerable: true,
      writable: true,
      configurable: true,
    })
    expect([request.kind, request.data, request.raw]).toEqual(['invocation', payload, payload])
    expect([request.id, request.lambdaContext]).toEqual([context.awsRequestId, context])
  })

  it('data that is changed or set leaves the payload as it was sent', () => {
    const payload = { list: [1] }
    const request = invocationRequest(payload, lambdaContext())
    ;(request.data as typeof payload).list.push(2)
    expect([request.data, request.raw]).toEqual([{ list: [1, 2] }, { list: [1] }])
    request.data = 'mine'
    expect([request.data, request.raw]).toEqual(['mine', { list: [1] }])
  })

  it('returns null for nothing', async () => {
    const handler = middy()
      .use(invocation())
      .handler(async () => undefined)
    expect(await handler({} as never, lambdaContext())).toBeNull()
  })

  it('lets errors through', async () => {
    const handler = middy()
      .use(invocation())
      .handler(async () => {
        throw new RangeError('no')
      })
    await expect(invoke(handler, {})).rejects.toThrow(RangeError)
  })
})
