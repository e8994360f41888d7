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
