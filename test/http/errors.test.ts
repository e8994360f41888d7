import { respond } from 'clearskies-middy/normalizers/respond'
import { InvalidResponseError, ResponseTooLargeError } from 'clearskies-middy/errors'
import { isResponse } from 'clearskies-middy/normalizers/http-response'
import { alb } from 'clearskies-middy/normalizers/alb'
import { albEvent } from 'clearskies-middy/testing'
import middy from '@middy/core'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { answer, responseHeader, sources, invoke } from '../support/sources.ts'

const [source] = sources

/** How an error is answered: its status and body, and how many errors the log was told of. */
async function answerTo(error: unknown, errors: 'problem' | 'clearskies' = 'problem') {
  const { statusCode, body, logger } = await answer(
    source!,
    {},
    () => {
      throw error
    },
    { errors },
  )
  return { statusCode, body: JSON.parse(body) as Record<string, unknown>, logged: logger.errors.length }
}

describe('a thrown error', () => {
  it.each([
    [400, 400, true],
    [499, 499, true],
    [500, 500, false],
    [599, 599, false],
    [399, 500, false],
    [600, 500, false],
    [404.5, 500, false],
    ['404', 500, false],
  ])('of status %s is answered %s, told: %s', async (status, statusCode, isTold) => {
    const error = Object.assign(new Error('hunter2'), { status, expose: isTold })
    const { body, ...answered } = await answerTo(error)
    expect(answered).toEqual({ statusCode, logged: isTold ? 0 : 1 })
    expect([body['status'], body['detail']]).toEqual([statusCode, isTold ? 'hunter2' : undefined])
  })

  it.each([
    [{ status: 404, expose: false }, undefined, 1],
    [{ status: 503, expose: true }, 'hunter2', 0],
    [{ status: 503, expose: 1 }, undefined, 1],
    [{ statusCode: 404 }, undefined, 1],
  ])('with %j is told as it says: %s', async (facts, detail, logged) => {
    const answered = await answerTo(Object.assign(new Error('hunter2'), facts))
    expect([answered.body['detail'], answered.logged]).toEqual([detail, logged])
  })

  it.each([
    [400, 'client_error'],
    [499, 'client_error'],
    [500, 'failure'],
    [503, 'failure'],
  ])('of status %s is a %s in clearskies', async (status, expected) => {
    const { body } = await answerTo(Object.assign(new Error('x'), { status, expose: true }), 'clearskies')
    expect(body['status']).toBe(expected)
  })

  it('that cannot be answered is a bare 500, and told', async () => {
    const logger = new RecordingLogger()
    const handler = middy()
      .use(
        alb({
          logger,
          errors: () => {
            throw new Error('the answer fails, too')
          },
        }),
      )
      .handler(() => {
        throw new Error('it fails')
      })
    expect(await invoke(handler, albEvent())).toMatchObject({ statusCode: 500 })
    expect(logger.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^GET \/ failed \(request Root=/),
      'The error could not be answered',
    ])
  })
})

describe('a redirect', () => {
  it.each([[300], [302], [399]])('has the status %s', async (status) => {
    const { statusCode, body, ...response } = await answer(source!, {}, () =>
      respond.redirect('/é b😀', status),
    )
    expect([statusCode, body, responseHeader(response as never, 'location')]).toEqual([
      status,
      '',
      ['/%C3%A9%20b%F0%9F%98%80'],
    ])
  })

  it.each([[299], [400], [NaN], [200]])('never has the status %s', (status) => {
    expect(() => respond.redirect('/', status)).toThrow(InvalidResponseError)
    expect(() => respond.redirect('/', status)).toThrow(`not ${status}`)
  })
})

describe('a response', () => {
  it('without content has the status 204, and the headers that it was given', async () => {
    const response = await answer(source!, {}, () => respond.noContent({ headers: { 'x-a': '1' } }))
    expect([response.statusCode, response.body, responseHeader(response, 'x-a')]).toEqual([204, '', ['1']])
  })

  it.each([
    ['utf-8', false],
    ['utf8', false],
    ['"utf-8"', false],
    ['us-ascii', false],
    ['iso-8859-1', true],
  ])('of text in %s is base64: %s', async (charset, isBase64Encoded) => {
    const type = `text/plain; charset = ${charset}`
    const response = await answer(source!, {}, () =>
      respond(new Uint8Array([120]), { headers: { 'content-type': type } }),
    )
    expect(response.isBase64Encoded).toBe(isBase64Encoded)
  })

  it.each([
    ['application/json', false],
    ['application/vnd.api+json', false],
    ['image/svg+xml', false],
    ['application/yaml', false],
    ['image/png', true],
    ['application/text', true],
    ['application/jsonx', true],
    ['image/png; of=text/html', true],
  ])('of bytes of %s is base64: %s', async (type, isBase64Encoded) => {
    const response = await answer(source!, {}, () =>
      respond(new Uint8Array([120]), { headers: { 'content-type': type } }),
    )
    expect(response.isBase64Encoded).toBe(isBase64Encoded)
  })

  it('keeps the byte order mark of its bytes, and bytes that are no text', async () => {
    const type = { headers: { 'content-type': 'text/csv' } }
    const mark = await answer(source!, {}, () => respond(Buffer.from('\ufeffa'), type))
    expect([mark.body, mark.isBase64Encoded]).toEqual(['\ufeffa', false])
    const odd = await answer(source!, {}, () => respond(new Uint8Array([120, 255]), type))
    expect([odd.body, odd.isBase64Encoded]).toEqual([Buffer.from([120, 255]).toString('base64'), true])
  })

  it('that is compressed is base64, whatever its type', async () => {
    const headers = { 'content-type': 'text/plain', 'Content-Encoding': 'gzip' }
    const response = await answer(source!, {}, () => respond(new Uint8Array([120]), { headers }))
    expect(response.isBase64Encoded).toBe(true)
  })

  it('of base64 without a type says what it is; empty it is no base64', async () => {
    const envelope = (body: string) => ({ statusCode: 200, body, isBase64Encoded: true })
    const full = await answer(source!, {}, () => envelope('eA=='))
    expect([full.isBase64Encoded, responseHeader(full, 'content-type')]).toEqual([
      true,
      ['application/octet-stream'],
    ])
    expect((await answer(source!, {}, () => envelope(''))).isBase64Encoded).toBe(false)
  })

  it.each([
    [{ statusCode: 99 }],
    [{ statusCode: 600 }],
    [{ statusCode: 200.5 }],
    [{ statusCode: '200' }],
    [{ statusCode: 200, id: 7 }],
    [Object.create({ statusCode: 201 }) as object],
  ])('is none where an object only has something like a status: %j', async (value) => {
    const response = await answer(source!, {}, () => value)
    expect([response.statusCode, response.body]).toEqual([200, JSON.stringify(value)])
  })

  it.each([
    [null, false],
    [undefined, false],
    ['x', false],
    [7, false],
    [{}, false],
    [{ id: 7 }, false],
    [{ statusCode: 200 }, true],
    [new Response('x'), true],
    [respond('x'), true],
    [() => 1, false],
  ])('is told from a value: %s', (value, isOne) => {
    expect(isResponse(value)).toBe(isOne)
  })

  it('of characters that JSON writes in six bytes each is measured in these', async () => {
    const { statusCode, logger } = await answer(source!, {}, () => '\u0000'.repeat(174_750))
    expect(statusCode).toBe(500)
    expect(logger.errors[0]?.details).toBeInstanceOf(ResponseTooLargeError)
    expect((await answer(source!, {}, () => '\u0000'.repeat(174_000))).statusCode).toBe(200)
  })

  it('has no word of a cookie for what that is not', async () => {
    const cookies = [{ name: 'session', value: '1', httpOnly: false, secure: true }]
    const response = await answer(source!, {}, () => respond('x', { cookies }))
    expect(responseHeader(response, 'set-cookie')).toEqual(['session=1; Secure'])
  })

  it('trims the lines of its headers', async () => {
    const response = await answer(source!, {}, () => respond('x', { headers: { 'x-a': '  1  ' } }))
    expect(responseHeader(response, 'x-a')).toEqual(['1'])
  })

  it.each([
    ['a function', () => () => 1, 'A function cannot be sent'],
    ['a symbol', () => Symbol('x'), 'A symbol cannot be sent'],
    ['a line break', () => respond('x', { headers: { 'x-a': 'a\nb' } }), 'The header "x-a" cannot be sent'],
  ])('that cannot be sent is a 500 that tells the log why: %s', async (_, handler, message) => {
    const { statusCode, logger } = await answer(source!, {}, handler)
    expect(statusCode).toBe(500)
    expect(logger.errors.map(({ details }) => (details as Error).message)).toEqual([message])
  })
})
