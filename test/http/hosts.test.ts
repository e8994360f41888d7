import middy from '@middy/core'
import type { HttpNormalizerOptions } from 'clearskies-middy'
import { albRequest } from 'clearskies-middy/normalizers/alb'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { alb, httpApi } from 'clearskies-middy'
import { albEvent, lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { type SourceResponse, answer, invoke, sources } from '../support/sources.ts'

const allowedHosts = ['shop.example.com', 'admin.example.com:8443', /^[a-z]+\.shop\.example$/gi, '[::1]']

/** Without a host's header, as the health check of a load balancer. */
function withoutHost(event: object): object {
  const fields = event as Record<string, unknown>
  const without = (map: unknown): unknown =>
    map && Object.fromEntries(Object.entries(map).filter(([name]) => name.toLowerCase() !== 'host'))
  return {
    ...fields,
    headers: without(fields['headers']),
    multiValueHeaders: without(fields['multiValueHeaders']),
  }
}

describe.each(sources)('the option allowedHosts behind $name', (source) => {
  it.each([
    'shop.example.com',
    'SHOP.example.COM',
    'shop.example.com:8080',
    'admin.example.com:8443',
    'eu.shop.example',
    'EU.shop.example',
    '[::1]:3000',
  ])('H8: lets %s pass', async (host) => {
    // Twice, because a pattern with the flag `g` remembers where it was.
    for (let time = 0; time < 2; time++) {
      const response = await answer(source, { headers: { host } }, ({ url }) => url.host, { allowedHosts })
      expect([response.statusCode, response.body]).toEqual([200, new URL(`https://${host}`).host])
    }
  })

  it.each([
    'evil.example',
    'shop.example.com.evil.example',
    'evil-shop.example.com',
    'example.com',
    'shop.example.com.',
    'admin.example.com',
    'admin.example.com:443',
    'shop.example.com@evil.example',
    'shop.example.com, evil.example',
    'evil.example/shop.example.com',
    'x.shop.example.evil',
  ])('H8: answers %s with a 400 before the handler', async (host) => {
    let calls = 0
    const errors: HttpNormalizerOptions['errors'][] = ['problem', 'clearskies']
    for (const format of errors) {
      const response = await answer(source, { headers: { host } }, () => calls++, {
        allowedHosts,
        ...(format !== undefined && { errors: format }),
      })
      expect([response.statusCode, calls]).toEqual([400, 0])
      expect(JSON.stringify(response)).not.toContain(host)
    }
  })

  // Node's own server has no event that could be read without a chain.
  it.skipIf(source.name === 'node-http')(
    'H8: without the chain another host is nowhere in the request',
    () => {
      const event = source.event({ headers: { host: 'evil.example' } })
      const { host, url } = anyHttpRequest(event, lambdaContext(), { allowedHosts })
      expect([host ?? '', url.href].join()).not.toContain('evil.example')
    },
  )

  // Node's own server answers such a request with a 400 itself.
  it.skipIf(source.name === 'node-http')('H8: lets a request without a host pass', async () => {
    const handler = middy()
      .use(source.normalizer({ allowedHosts }))
      .handler(({ host }) => host ?? 'none')
    const { statusCode } = await invoke<SourceResponse>(handler, withoutHost(source.event()))
    expect(statusCode).toBe(200)
  })
})

describe('the option allowedHosts', () => {
  it.each([
    ['x'],
    [{}],
    [null],
    [[7]],
    [[null]],
    [['https://shop.example.com']],
    [['*.example.com']],
    [['']],
  ])('H8: is a TypeError if it is %j', (value) => {
    for (const make of [alb, httpApi])
      expect(() => make({ allowedHosts: value as never })).toThrow(
        expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('"allowedHosts"') }),
      )
  })

  it('H8: left out, any host that is one passes', () => {
    expect(albRequest(albEvent({ headers: { host: 'evil.example' } }), lambdaContext()).url.href).toBe(
      'https://evil.example/',
    )
  })
})
