import { alb } from 'clearskies-middy/normalizers/alb'
import { anyHttp } from 'clearskies-middy/normalizers/any-http'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { respond } from 'clearskies-middy/normalizers/respond'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { InvalidResponseError } from 'clearskies-middy/errors'
import { describe, expect, it } from 'vitest'
import { answer, sources } from '../support/sources.ts'

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
            { name: 'a', value: '1' },
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

it.each(Object.entries({ alb, restApi, httpApi, anyHttp }))('%s() names its hooks', (name, factory) => {
  const { before, after, onError } = factory() as Record<string, { name: string }>
  expect([before?.name, after?.name, onError?.name]).toEqual([
    `${name}Before`,
    `${name}After`,
    `${name}OnError`,
  ])
})
