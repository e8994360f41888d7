// Small pure functions below the HTTP normalizers, where a whole chain reaches few of their inputs.
import { InvalidResponseError } from 'clearskies-middy'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
import { httpApiEvent, lambdaContext, restApiEvent } from 'clearskies-middy/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorFacts, errorResponse } from '../../src/normalizers/http/errors.ts'
import { isHostList } from '../../src/normalizers/http/hosts.ts'
import { jsonSizeAtMost } from '../../src/normalizers/http/json-size.ts'
import { type ResponseLines, addLines, mergeLines } from '../../src/normalizers/http/response-headers.ts'
import { setCookieLine } from '../../src/normalizers/http/set-cookie.ts'
import { runs } from '../support/runs.ts'

const jsonSize = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2

describe('the size of a text inside JSON', () => {
  it.each(['', 'a', 'ab', '"', '\\', 'a"', '"a', '"\\"', 'ż', 'żó"', ' ', '\u007f', '🙂"', '{"a":"b\\\\"}'])(
    'of %j is exact',
    (text) => {
      expect(jsonSizeAtMost(text)).toBe(jsonSize(text))
    },
  )

  it.each(['\0', 'a\u001f', '\n\n', '\t"'])(
    'of %j counts the longest escape of a control character',
    (text) => {
      const escapes = Array.from(text, (letter) => (letter < ' ' ? 6 : jsonSize(letter)))
      expect(jsonSizeAtMost(text)).toBe(escapes.reduce((sum, size) => sum + size))
    },
  )

  it('of half a character is at least that of its escape', () => {
    expect(jsonSizeAtMost('\ud800')).toBe(6)
    expect(jsonSizeAtMost('a"\udc00')).toBeGreaterThanOrEqual(jsonSize('a"\udc00'))
  })

  it('is never below what JSON.stringify writes, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(jsonSizeAtMost(text)).toBeGreaterThanOrEqual(jsonSize(text))
      }),
      { seed: 7, numRuns: runs(2000) },
    )
  })
})

describe('the attributes of a cookie', () => {
  it.each(['Strict', 'Lax', 'None'] as const)('SameSite=%s is written', (sameSite) => {
    expect(setCookieLine({ name: 'a', value: 'b', sameSite })).toBe(`a=b; SameSite=${sameSite}`)
  })

  it('what is false or undefined is left out', () => {
    const none = { secure: false, httpOnly: false, path: undefined, maxAge: undefined } as never
    expect(setCookieLine({ name: 'a', value: 'b', ...(none as object) })).toBe('a=b')
  })

  it.each([
    ['domain', 5, 'Domain'],
    ['path', {}, 'Path'],
    ['expires', new Date(NaN), 'Expires'],
    ['expires', '2026-01-01', 'Expires'],
    ['maxAge', 1.5, 'Max-Age'],
    ['secure', 'yes', 'Secure'],
    ['sameSite', 'lax', 'SameSite'],
  ])('%s of a wrong value (%j) is refused by its name', (key, value, shown) => {
    expect(() => setCookieLine({ name: 'a', value: 'b', [key]: value })).toThrow(
      new InvalidResponseError(`The cookie "a" has a wrong value in ${shown}`),
    )
  })
})

describe('the lines of headers', () => {
  const linesOf = (...maps: unknown[]): ResponseLines => {
    const lines: ResponseLines = { headers: {}, cookies: [] }
    const [first, ...rest] = maps
    addLines(first, lines)
    for (const map of rest) mergeLines(map, lines)
    return lines
  }

  it('are text, whatever simple value a header has, and nothing where it has none', () => {
    expect(
      linesOf({ 'X-Big': 5n, 'x-no': null, 'x-list': [1, [true, undefined], null], 'x-empty': [] }),
    ).toEqual({
      headers: { 'x-big': '5', 'x-list': ['1', 'true'] },
      cookies: [],
    })
  })

  it('of the connection itself are not sent, in either map', () => {
    expect(linesOf({ Connection: 'close', a: '1' }, { 'Keep-Alive': ['5'], b: ['2'] }).headers).toEqual({
      a: '1',
      b: '2',
    })
  })

  it('that are in both maps are sent once, where the second has them', () => {
    expect(
      linesOf({ a: 'x', 'set-cookie': 'c=1' }, { A: ['y', 'x'], 'Set-Cookie': ['d=2', 'c=1'], b: [] }),
    ).toEqual({
      headers: { a: ['y', 'x'] },
      cookies: ['d=2', 'c=1'],
    })
  })

  it.each<[string, unknown, string]>([
    ['text', 'a: b', 'Headers are an object, a Map or a Headers, not a string'],
    ['a list', [['a', 'b']], 'Headers are an object, a Map or a Headers, not a list'],
    ['a set', new Set(['a']), 'Headers that can be iterated give pairs of a name and a value'],
    [
      'names that are no text',
      new Map([[1, 'b']]),
      'Headers that can be iterated give pairs of a name and a value',
    ],
    ['an object as value', { a: {} }, 'The header "a" cannot be sent: it is an object'],
    ['a symbol as value', { a: Symbol('x') }, 'The header "a" cannot be sent: it is a symbol'],
    ['__proto__', new Map([['__proto__', 'x']]), 'The header "__proto__" cannot be sent'],
    ['two lines', { a: 'b\r\nc: d' }, 'The header "a" cannot be sent'],
    [
      'a character beyond Latin-1',
      { a: 'ż' },
      'The header "a" cannot be sent: it has a character that headers do not have. Encode it',
    ],
  ])('that are %s are refused, and the message says why', (_, headers, message) => {
    expect(() => linesOf(headers)).toThrow(new InvalidResponseError(message))
  })
})

it('allowedHosts takes a list only if each of it is a host or a pattern', () => {
  expect([isHostList(['a.example', /^b/]), isHostList([])]).toEqual([true, true])
  for (const wrong of [['a.example', 7], [7, 'a.example'], ['a b'], 'a.example', null])
    expect(isHostList(wrong)).toBe(false)
})

it.each(['', 'text', 'ż🙂'])('request.stream() gives the body %j as it was sent', async (body) => {
  const request = httpApiRequest(httpApiEvent({ method: 'POST', body }), lambdaContext())
  const pieces: Uint8Array[] = []
  for await (const piece of request.stream()) pieces.push(piece)
  expect(Buffer.concat(pieces).toString()).toBe(body)
  expect(pieces).toHaveLength(body === '' ? 0 : 1)
})

it('a caller that Cognito let in is known by the identity, its pool and how it was authenticated', () => {
  const event = restApiEvent({ path: '/' })
  Object.assign(event.requestContext.identity, {
    userArn: 'arn:aws:sts::123456789012:assumed-role/app/x',
    cognitoIdentityId: 'eu-central-1:1',
    cognitoIdentityPoolId: 'eu-central-1:pool',
    cognitoAuthenticationType: 'authenticated',
    cognitoAuthenticationProvider: 'cognito-idp.eu-central-1.amazonaws.com/p',
  })
  expect(restApiRequest(event, lambdaContext()).authorizer).toMatchObject({
    cognitoIdentity: {
      identityId: 'eu-central-1:1',
      identityPoolId: 'eu-central-1:pool',
      amr: ['authenticated', 'cognito-idp.eu-central-1.amazonaws.com/p'],
    },
  })
})

describe('what an error tells its caller', () => {
  const exposed = (parts: object) => errorFacts({ expose: true, statusCode: 400, ...parts })
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable<unknown[]>([], {})
    revoke()
    return proxy
  }

  it.each([399, 600, 400.5, '404', NaN])('is nothing of an error whose status is %j', (statusCode) => {
    expect(errorFacts({ expose: true, statusCode })).toMatchObject({ status: 500, exposed: false })
  })

  it('is its status alone where it is not exposed', () => {
    expect(
      errorFacts({ expose: false, status: 503, message: 'db', headers: { a: 'b' }, errors: ['x'] }),
    ).toEqual({
      status: 503,
      exposed: false,
      message: '',
      errors: [],
      headers: {},
    })
  })

  it('leaves out headers of a body, of a connection and of cookies, whatever their spelling', () => {
    const headers = {
      'Retry-After': '5',
      ' Content-Type ': 'x',
      Connection: 'close',
      'SET-COOKIE': 'a=b',
      te: 'x',
    }
    expect(exposed({ headers }).headers).toEqual({ 'Retry-After': '5' })
    expect(exposed({ headers: 'x: y' }).headers).toEqual({})
  })

  it('has findings as texts and objects, and counts no others', () => {
    const errors = ['a', { message: 'b' }, { path: ['c', 0, {}, null] }, { other: 1 }, null, 7]
    expect(exposed({ message: 'm', errors })).toMatchObject({
      message: 'm',
      errors: [{ message: 'a' }, { message: 'b' }, { path: ['c', '0'] }],
    })
    expect(exposed({ errors: [{ path: [], in: 'query' }] }).errors).toEqual([{ path: [], in: 'query' }])
  })

  it('has a hundred findings, and says how many there are', () => {
    const errors = Array.from({ length: 101 }, (_, index) => String(index))
    expect([exposed({ message: 'm', errors }).message, exposed({ errors }).message]).toEqual([
      'm (100 of 101 findings)',
      '(100 of 101 findings)',
    ])
    expect(exposed({ message: 'm', errors: errors.slice(1) }).message).toBe('m')
  })

  it('has as many findings as 64,000 bytes hold', () => {
    const errors = Array.from({ length: 99 }, () => 'x'.repeat(986))
    const { errors: told, message } = exposed({ errors })
    expect([JSON.stringify(told[0]).length, told.length, message]).toEqual([1000, 64, '(64 of 99 findings)'])
  })

  it('has long texts and deep paths cut off', () => {
    const path = Array.from({ length: 40 }, () => 'p'.repeat(201))
    const [deep, text] = exposed({ errors: [{ path }, 'x'.repeat(1001)] }).errors
    expect(deep?.path).toEqual(Array.from({ length: 32 }, () => `${'p'.repeat(200)}…`))
    expect(text?.message).toBe(`${'x'.repeat(1000)}…`)
    expect(exposed({ errors: ['x'.repeat(1000)] }).errors[0]?.message).toHaveLength(1000)
  })

  it('is what can be read of an error whose parts cannot', () => {
    const throwing = Object.defineProperty({ message: 'm' }, 'path', {
      get: () => {
        throw new Error('no')
      },
    })
    expect(exposed({ errors: [throwing, { message: 'n', path: revoked() }] }).errors).toEqual([
      { message: 'm' },
      { message: 'n' },
    ])
    expect(exposed({ errors: revoked(), headers: revoked() })).toMatchObject({ errors: [], headers: {} })
  })

  it('has a place and a message for each finding in the form of clearskies', () => {
    const facts = exposed({ message: 'm', errors: [{ path: ['a', 0] }, { path: 'b', message: 'n' }, 'o'] })
    expect(errorResponse(facts, 'clearskies').body).toEqual({
      status: 'input_errors',
      error: 'm',
      data: [],
      pagination: {},
      input_errors: { 'a.0': '', b: 'n', '': 'o' },
    })
    expect(errorResponse(exposed({ statusCode: 404 }), 'clearskies').body).toMatchObject({
      status: 'client_error',
      error: 'Not Found',
    })
    expect(errorResponse(exposed({ statusCode: 503 }), 'problem')).toMatchObject({
      headers: { 'content-type': 'application/problem+json' },
      body: { title: 'Service Unavailable', status: 503 },
    })
  })
})
