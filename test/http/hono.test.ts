// An application built on the web standard, unchanged, behind every source.
import middy from '@middy/core'
import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { describe, expect, it } from 'vitest'
import { frontOf, sources } from '../support/sources.ts'

const app = new Hono()
app.get('/hello/:name', (c) => c.json({ hello: c.req.param('name'), query: c.req.queries('tag') ?? [] }))
app.post('/echo', async (c) =>
  c.body(await c.req.arrayBuffer(), 200, { 'content-type': 'application/octet-stream' }),
)
app.get('/cookies', (c) => {
  setCookie(c, 'a', '1', { path: '/', expires: new Date(Date.UTC(2026, 9, 21)) })
  setCookie(c, 'b', '2')
  return c.text('two', 201)
})
app.get(
  '/stream',
  () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('one '))
          controller.enqueue(new TextEncoder().encode('two'))
          controller.close()
        },
      }),
      { headers: { 'content-type': 'text/plain' } },
    ),
)
app.get('/fail', () => {
  throw new Error('hunter2')
})

describe.each(sources)('a Hono app behind $name', (source) => {
  const { name } = source
  const handler = middy()
    .use(source.normalizer())
    .handler((request) => app.fetch(request.toWebRequest()))

  it('serves', async () => {
    await using server = await frontOf(source, handler, { binaryMediaTypes: ['application/octet-stream'] })
    const hello = await fetch(`${server.url}/hello/caf%C3%A9?tag=a&tag=b`)
    expect(await hello.json()).toEqual({ hello: 'café', query: name === 'alb' ? ['b'] : ['a', 'b'] })

    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const echo = await fetch(`${server.url}/echo`, {
      method: 'POST',
      body: bytes,
      headers: { 'content-type': 'application/octet-stream', accept: 'application/octet-stream' },
    })
    expect(new Uint8Array(await echo.arrayBuffer())).toEqual(bytes)

    const cookies = await fetch(`${server.url}/cookies`)
    expect([cookies.status, await cookies.text()]).toEqual([201, 'two'])
    const both = ['a=1; Path=/; Expires=Wed, 21 Oct 2026 00:00:00 GMT', 'b=2; Path=/']
    expect(cookies.headers.getSetCookie()).toEqual(name === 'alb' ? both.slice(1) : both)

    expect(await (await fetch(`${server.url}/stream`)).text()).toBe('one two')
    expect((await fetch(`${server.url}/none`)).status).toBe(404)
    const head = await fetch(`${server.url}/hello/x`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const failed = await fetch(`${server.url}/fail`)
    expect([failed.status, await failed.text()]).toEqual([500, 'Internal Server Error'])
  })
})
