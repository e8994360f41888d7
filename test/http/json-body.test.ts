import middy from '@middy/core'
import { ConfigurationError } from 'clearskies-middy'
import { type JsonBodyOptions, jsonBody } from 'clearskies-middy/middleware/json-body'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { type DescribedRequest } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { type SourceResponse, sources, invoke } from '../support/sources.ts'

describe.each(sources)('jsonBody() behind $name', ({ normalizer, event }) => {
  async function send(request: DescribedRequest, options?: JsonBodyOptions): Promise<[number, unknown]> {
    const handler = middy()
      .use(normalizer({ logger: new RecordingLogger() }))
      .use(jsonBody(options))
      .handler(({ data, body, hasBody }) => ({ data, same: data === body || !hasBody }))
    const { statusCode, body } = await invoke<SourceResponse>(handler, event(request))
    return [statusCode, JSON.parse(body)]
  }

  const body = '{"a":"ż"}'

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json ; charset=utf-8',
    'APPLICATION/JSON',
    'application/problem+json',
    'application/vnd.api+json',
    'text/json',
  ])('parses %s', async (type) => {
    expect(await send({ headers: { 'content-type': type }, body })).toEqual([
      200,
      { data: { a: 'ż' }, same: true },
    ])
  })

  it('parses behind a byte order mark', async () => {
    expect(await send({ headers: { 'content-type': 'application/json' }, body: `\ufeff${body}` })).toEqual([
      200,
      { data: { a: 'ż' }, same: true },
    ])
  })

  it.each(['null', '0', '""', '[]', 'false'])('takes %s for the value that it is', async (value) => {
    expect(await send({ headers: { 'content-type': 'application/json' }, body: value })).toMatchObject([
      200,
      { data: JSON.parse(value) as unknown },
    ])
  })

  it('lets a request without a body pass', async () => {
    expect(await send({ method: 'GET' })).toEqual([200, { same: true }])
    expect(
      await send({ method: 'POST', headers: { 'content-type': 'application/json' }, body: '' }),
    ).toMatchObject([200, {}])
  })

  it('answers 415 for another content type, unless told otherwise', async () => {
    for (const headers of [{ 'content-type': 'text/csv' }, {}])
      expect((await send({ method: 'POST', headers, body }))[0]).toBe(415)
    expect(
      (
        await send(
          { method: 'POST', headers: { 'content-type': 'text/csv' }, body },
          { disableContentTypeCheck: true },
        )
      )[1],
    ).toMatchObject({ data: { a: 'ż' } })
    expect(
      (
        await send(
          { method: 'POST', headers: { 'content-type': 'text/csv' }, body },
          { disableContentTypeError: true },
        )
      )[1],
    ).toMatchObject({ data: { a: 'ż' } })
  })

  it('answers 422 for malformed JSON and for keys that change prototypes, and repeats neither', async () => {
    for (const bad of [
      '{hunter2',
      '{"__proto__":{"hunter2":1}}',
      '{"constructor":{"prototype":{"hunter2":1}}}',
    ]) {
      const [status, problem] = await send({ headers: { 'content-type': 'application/json' }, body: bad })
      expect(status).toBe(422)
      expect(JSON.stringify(problem)).not.toContain('hunter2')
    }
  })

  it('takes a reviver', async () => {
    expect(
      await send(
        { headers: { 'content-type': 'application/json' }, body: '{"a":1}' },
        { reviver: (_, value) => (typeof value === 'number' ? value + 1 : value) },
      ),
    ).toMatchObject([200, { data: { a: 2 } }])
  })
})

it('jsonBody() without an HTTP normalizer says what is missing', async () => {
  const handler = middy()
    .use(invocation())
    .use(jsonBody())
    .handler(() => 1)
  await expect(invoke(handler, {})).rejects.toThrow(ConfigurationError)
})
