import { alb } from 'clearskies-middy/normalizers/alb'
import { anyHttp } from 'clearskies-middy/normalizers/any-http'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { respond } from 'clearskies-middy/normalizers/respond'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { InvalidResponseError } from 'clearskies-middy/errors'

import middy from '@middy/core'
import { RecordingLogger } from '../support/recording-logger.ts'
import { describe, expect, it } from 'vitest'
import { answer, gatewaySources, invoke, sources } from '../support/sources.ts'

describe.each(sources)('anyHttp() behind $name', (source) => {
  it.each([
    ['nothing', () => undefined],
    ['an object', () => ({ id: 7 })],
    ['bytes', () => new Uint8Array([255, 0])],
    [
      'headers with several lines, and cookies',
      () =>
        respond('ok', {
          headers: { 'x-many': ['a', 'b'] },
          cookies: [
            { name: 'session', value: '1', secure: false },
            { name: 'b', value: '2', httpOnly: true },
          ],
        }),
    ],
    [
      'an error',
      () => {
        throw new InvalidResponseError('no')
      },
    ],
  ])("answers in the source's own form: %s", async (_, handler) => {
    const own = await answer(source, {}, handler)
    const any = await answer({ ...source, normalizer: anyHttp as typeof source.normalizer }, {}, handler)
    expect({ ...any, logger: undefined }).toEqual({ ...own, logger: undefined })
  })
})

// Not Node's own server: nothing is written for it but status, headers and body.
describe.each(gatewaySources)('$name', (source) => {
  const keysOf = async (handler: () => unknown) => {
    const { logger, ...response } = await answer(source, {}, handler)
    expect(logger.warnings).toEqual([])
    return Object.entries(response as object).flatMap(([key, value]) =>
      key === 'headers' || key === 'multiValueHeaders'
        ? [key, ...Object.keys(value as object).map((name) => `${key}.${name}`)]
        : [key],
    )
  }

  it('is sent no map, list or header that has nothing in it', async () => {
    const map = source.name === 'alb-multi-value' ? 'multiValueHeaders' : 'headers'
    const always = ['statusCode', 'body', 'isBase64Encoded', map]
    if (source.name.startsWith('alb')) always.push('statusDescription')
    expect((await keysOf(() => undefined)).toSorted()).toEqual(always.toSorted())
    const typed = [...always, `${map}.content-type`]
    expect((await keysOf(() => 'x')).toSorted()).toEqual(typed.toSorted())
    const cookies = {
      alb: ['headers.set-cookie'],
      'alb-multi-value': ['multiValueHeaders.set-cookie'],
      'rest-api': ['multiValueHeaders', 'multiValueHeaders.set-cookie'],
      'http-api-1.0': ['multiValueHeaders', 'multiValueHeaders.set-cookie'],
      'http-api': ['cookies'],
      'function-url': ['cookies'],
      'vpc-lattice': ['headers.set-cookie'],
    }[source.name]
    const one = { cookies: [{ name: 'session', value: '1', httpOnly: false }] }
    expect((await keysOf(() => respond('x', one))).toSorted()).toEqual([...typed, ...cookies].toSorted())
  })

  it('is sent what a handler reads elsewhere when that is read', async () => {
    let seen: unknown
    const handler = middy()
      .use({
        after: ({ response }) => {
          seen = response
        },
      })
      .use(source.normalizer({ logger: new RecordingLogger() }))
      .handler((() => new Blob(['x'])) as never)
    expect(await invoke(handler, source.event())).toEqual(seen)
    expect(seen).toMatchObject({ statusCode: 200, body: Buffer.from('x').toString('base64') })
  })
})

it.each(Object.entries({ alb, restApi, httpApi, anyHttp }))('%s() names its hooks', (name, factory) => {
  const { before, after, onError } = factory() as Record<string, { name: string }>
  expect([before?.name, after?.name, onError?.name]).toEqual([
    `${name}Before`,
    `${name}After`,
    `${name}OnError`,
  ])
})
