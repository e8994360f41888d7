// What the pages of the HTTP sources say beside the tables, point by point of H35.
import middy from '@middy/core'
import httpCors from '@middy/http-cors'
import inputOutputLogger from '@middy/input-output-logger'
import { respond } from 'clearskies-middy'

import { describe, expect, it } from 'vitest'
import { type SourceResponse, answer, responseHeader, sources, invoke } from '../support/sources.ts'

describe.each(sources)('behind $name', (source) => {
  const { normalizer, event } = source

  it('H35: cors.md: every answer has the headers of CORS, preflights and errors too', async () => {
    const cors = httpCors({ origins: ['https://shop.example'], disableBeforePreflightResponse: false })
    const handler = middy()
      .use(normalizer())
      .use(cors)
      .handler(() => {
        throw respond('no', { status: 403 })
      })
    for (const [method, status] of [
      ['OPTIONS', 204],
      ['GET', 403],
    ] as const) {
      const request = event({ method, headers: { origin: 'https://shop.example' } })
      const response = await invoke<SourceResponse>(handler, request)
      expect([response.statusCode, responseHeader(response, 'access-control-allow-origin')]).toEqual([
        status,
        ['https://shop.example'],
      ])
    }
  })

  it('H35: errors.md: foreign data that looks like a response is sent as one, and as data within respond()', async () => {
    const envelope = { statusCode: 200, headers: { 'x-chosen': 'by the caller' }, body: '<script>' }
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: envelope }
    const bare = await answer(source, request, ({ data }) => data)
    expect([bare.body, responseHeader(bare, 'x-chosen')]).toEqual(['<script>', ['by the caller']])
    const wrapped = await answer(source, request, ({ data }) => respond(data))
    expect([JSON.parse(wrapped.body), responseHeader(wrapped, 'x-chosen')]).toEqual([envelope, []])
  })

  it('H35: from-powertools-and-middy.md: text in an envelope without a content type is text/plain', async () => {
    const response = await answer(source, {}, () => ({ statusCode: 200, body: '{"a":1}' }))
    expect(responseHeader(response, 'content-type')).toEqual(['text/plain; charset=utf-8'])
  })

  it('H35: behind-middy.md: a logger in front prints the event, and one behind the members of the request', async () => {
    const lines: string[] = []
    const logger = (): object =>
      inputOutputLogger({ logger: (line: unknown) => lines.push(JSON.stringify(line)) })
    const chain = middy()
    for (const middleware of [logger(), normalizer(), logger()]) chain.use(middleware as never)
    const handler = chain.handler(() => 'x')
    await invoke(handler, event({ path: '/logged' }))
    const [inFront, behind] = lines.map((line) => JSON.parse(line) as { event?: Record<string, unknown> })
    // Node's own server has a message in place of an event.
    const printed =
      source.name === 'node-http' ? { source: 'node-http', isWebFunction: true } : event({ path: '/logged' })
    expect(inFront?.event).toEqual(printed)
    expect(behind?.event).toMatchObject({ kind: 'http', method: 'GET', path: '/logged' })
  })

  it('H35: errors.md: redirect() takes any target, and the origin tells which is ours', async () => {
    const targets = [
      '//evil.example',
      'https:\\\\evil.example',
      'javascript:alert(1)',
      '/products?a=1',
      'next',
    ]
    for (const [target, isOurs] of targets.map((text, index) => [text, index > 2] as const)) {
      const response = await answer(source, {}, ({ url }) =>
        respond.redirect(target, 302, { headers: { 'x-ours': new URL(target, url).origin === url.origin } }),
      )
      expect([responseHeader(response, 'location'), responseHeader(response, 'x-ours')]).toEqual([
        [target],
        [String(isOurs)],
      ])
    }
  })
})
