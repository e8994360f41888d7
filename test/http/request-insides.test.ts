// What a request is read from, piece by piece, where a whole chain reaches few of the inputs.
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
import { lambdaContext, restApiEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { readAuthorizer } from '../../src/normalizers/http/authorizer.ts'
import { RequestBody } from '../../src/normalizers/http/body.ts'
import { clientAddress } from '../../src/normalizers/http/client-address.ts'
import { contentCodings, isDecompress, unpack } from '../../src/normalizers/http/decompress.ts'
import { RequestHeaders, mediaType, readCookies } from '../../src/normalizers/http/headers.ts'
import { canonicalPath, mappingPrefix, matchBasePath } from '../../src/normalizers/http/path.ts'
import { type WebRequestParts, webRequest } from '../../src/normalizers/http/web-request.ts'

describe('headers', () => {
  const of = (event: object) => new RequestHeaders(event as never)

  it('of one map are read whatever their spelling, and what is no text is left out', () => {
    expect(of({ headers: { 'X-A': '1', 'x-b': '2', 'x-c': null, 'x-d': 4 } }).all).toEqual({
      'x-a': '1',
      'x-b': '2',
    })
    expect(of({ headers: { 'x-b': '2' } }).all).toEqual({ 'x-b': '2' })
    expect(of({ headers: { 'x-B': '3' } }).all).toEqual({ 'x-b': '3' })
    expect([of({}).all, of({ headers: null }).all]).toEqual([{}, {}])
  })

  it('are each read again for each request, in the same places or in others', () => {
    for (const headers of [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
      { b: '5', a: '6' },
      { a: '7' },
      { a: '8', B: '9' },
    ])
      expect(of({ headers }).all).toEqual(
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      )
  })

  it('are lists where several lines came, unless somebody has written since', () => {
    const event = {
      headers: { a: '1', b: '2' },
      multiValueHeaders: { A: ['1', '2'], cookie: ['c=1', 'd=2'] },
    }
    const headers = of(event)
    expect([headers.linesOf('a'), headers.get('a'), headers.linesOf('b'), headers.linesOf('none')]).toEqual([
      ['1', '2'],
      '1, 2',
      ['2'],
      [],
    ])
    expect([headers.get('cookie'), headers.linesOf('cookie')]).toEqual(['c=1; d=2', ['c=1; d=2']])
    headers.all['a'] = 'other'
    expect([headers.linesOf('A'), headers.lists['a'], headers.lists['b']]).toEqual([
      ['other'],
      ['other'],
      ['2'],
    ])
  })

  it.each([
    ['text/HTML; charset=utf-8', 'text/html'],
    ['  text/html', 'text/html'],
    ['; text/html', undefined],
    ['html', undefined],
    [undefined, undefined],
  ])('%j has the media type %j', (line, type) => {
    expect(mediaType(line)).toBe(type)
  })

  it.each([
    ['a="x"', 'x'],
    ['a="x', '"x'],
    ['a=x"', 'x"'],
    ['a="', '"'],
    ['a=""', ''],
    ['a', ''],
    ['a==', '='],
  ])('the cookie %j is %j', (line, value) => {
    expect({ ...readCookies(`${line}; =nobody; b=1`) }).toEqual({ a: value, b: '1' })
  })
})

describe('the address of the client', () => {
  it.each<[string | undefined, string | undefined, number, string | undefined]>([
    ['the source', undefined, 1, '9.9.9.9'],
    ['the source where no proxy is trusted', '1.1.1.1', 0, '9.9.9.9'],
    ['the last entry behind one proxy', '6.6.6.6, 1.1.1.1', 1, '1.1.1.1'],
    ['the entry without its port', '1.1.1.1:5678', 1, '1.1.1.1'],
    ['an IPv6 address without brackets and port', '[2001:db8::1]:443', 1, '2001:db8::1'],
    ['an IPv6 address without brackets and what else stands there', '[2001:db8::1]x', 1, '2001:db8::1'],
    ['a bare IPv6 address', '2001:db8::1', 1, '2001:db8::1'],
    ['the first of too few', '1.1.1.1', 2, '1.1.1.1'],
    ['the source where the first of too few has words behind it', '1.1.1.1 evil', 2, '9.9.9.9'],
    ['the source where the first of too few has words in front', 'evil 1.1.1.1', 2, '9.9.9.9'],
    ['the source where nothing stands there', ' , ', 2, '9.9.9.9'],
  ])('is %s', (_, forwarded, proxies, address) => {
    expect(clientAddress('9.9.9.9', forwarded, proxies)).toBe(address)
  })

  it('is unknown where neither tells', () => {
    expect(clientAddress(undefined, ' ', 1)).toBeUndefined()
  })
})

describe('an authorizer', () => {
  it('of a function may choose names that are like those of the gateway', () => {
    const context = { jwtx: { a: 1 }, xjwt: { a: 1 }, claims: 'text', integration: null }
    expect(readAuthorizer({ authorizer: { ...context, principalId: 'u', integrationLatency: 5 } })).toEqual({
      kind: 'lambda',
      context,
      principalId: 'u',
    })
  })

  it('of a token has claims or scopes, or is none', () => {
    expect(readAuthorizer({ authorizer: { jwt: { claims: { sub: 'u' }, scopes: null } } })).toEqual({
      kind: 'jwt',
      claims: { sub: 'u' },
      scopes: [],
    })
    expect(readAuthorizer({ authorizer: { jwt: { claims: {}, scopes: [] } } })).toEqual({ kind: 'none' })
    expect(readAuthorizer({ authorizer: { claims: {} } })).toEqual({ kind: 'none' })
    expect(readAuthorizer({ authorizer: { claims: { sub: 'u' } } })).toEqual({
      kind: 'cognito',
      claims: { sub: 'u' },
    })
  })
})

describe('a packed body', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['identity', []],
    [' GZip , deflate', ['gzip', 'deflate']],
    ['gzip,,br', ['gzip', 'br']],
    ['zstd', undefined],
    ['gzip,gzip,gzip,gzip,gzip,gzip', undefined],
  ])('in %j has the codings %j', (header, codings) => {
    expect(contentCodings(header)).toEqual(codings)
  })

  it('in deflate may lack the header, whatever it begins with', () => {
    const texts = Array.from({ length: 64 }, (_, size) => 'abc'.repeat(size) + String(size))
    for (const text of texts)
      for (const packed of [deflateSync(text), deflateRawSync(text), deflateRawSync(text, { level: 0 })])
        expect(String(unpack(packed, ['deflate'], 1000))).toBe(text)
    expect(String(unpack(deflateRawSync(''), ['deflate'], 10))).toBe('')
    // Its first byte looks like that of a header, its second does not go with it.
    const alike = Buffer.from([0x78, 0x00])
    expect(() => unpack(alike, ['deflate'], 10)).toThrow('The request body is not valid deflate')
    for (const tooShort of [Buffer.alloc(0), Buffer.from([0x78])])
      expect(() => unpack(tooShort, ['deflate'], 10)).toThrow('The request body is not valid deflate')
  })

  it('that is too large is refused with the limit', () => {
    expect(() => unpack(gzipSync('x'.repeat(11)), ['gzip'], 10)).toThrow(
      expect.objectContaining({
        statusCode: 413,
        message: 'The request body is larger than 10 bytes when it is unpacked',
      }),
    )
  })

  it.each<[unknown, boolean]>([
    [true, true],
    [false, true],
    [{}, true],
    [{ maxBytes: 1 }, true],
    [{ maxBytes: 0 }, false],
    [{ maxBytes: 1.5 }, false],
    [{ max: 1 }, false],
    [[], false],
    ['true', false],
    [null, false],
  ])('the option decompress takes %j: %j', (option, verdict) => {
    expect(isDecompress(option)).toBe(verdict)
  })
})

describe('a body', () => {
  const of = (event: object) => new RequestBody(event as never, new RequestHeaders(event as never))

  it('that was not read is refused with the limit, whichever way it is asked for', () => {
    const body = of({ body: undefined, maxBodyBytes: 7 })
    for (const read of [() => body.bytes(), () => body.text(), () => body.json()])
      expect(read).toThrow(
        expect.objectContaining({ statusCode: 413, message: 'The request body is larger than 7 bytes' }),
      )
    expect(() => of({ body: '\ufeffx', maxBodyBytes: undefined }).text()).not.toThrow()
  })

  it('of letters beyond ASCII is text and bytes of UTF-8, without a byte order mark in the text', () => {
    const body = of({ body: '\ufeffżółw' })
    expect([body.text(), body.text(), String(body.bytes())]).toEqual(['żółw', 'żółw', '\ufeffżółw'])
  })

  it.each([
    ['gzip', ' (its content-encoding is gzip) '],
    ['gzip, zstd', ' (its content-encoding is gzip, zstd) '],
    ['zstd"', ' '],
    ['"zstd', ' '],
  ])('that stays in %s is no JSON, and the error tells why', (coding, why) => {
    const event = { body: Buffer.from('{}x').toString('base64'), isBase64Encoded: true }
    const body = new RequestBody(
      event,
      new RequestHeaders({ headers: { 'content-encoding': coding } }),
      false,
    )
    expect(() => body.json()).toThrow(`The request body${why}is not valid JSON`)
  })
})

describe('a path', () => {
  it.each([
    ['/a%', '/a%25'],
    ['/a%zz', '/a%25zz'],
    ['/a%2', '/a%252'],
    ['/ż%c5%bc', '/%C5%BC%C5%BC'],
    ['/%7E%2f', '/~%2F'],
    ['a', '/a'],
  ])('%j is spelled %j', (given, spelled) => {
    expect(canonicalPath(given)).toBe(spelled)
  })

  it('begins with a base path as far as that ends at a slash', () => {
    expect([
      matchBasePath('/v1/a', 'v1'),
      matchBasePath('/v1/a', '//v1'),
      matchBasePath('/v1', '/v1/'),
      matchBasePath('/v10', 'v1'),
      matchBasePath('/v1/a', /^\/v\d/),
      matchBasePath('/x', /^\/v\d/),
      matchBasePath('/v1/a', ['x', 'v1']),
    ]).toEqual(['/v1', '/v1', '/v1', '', '/v1', '', '/v1'])
  })

  it('of a custom domain has its mapping in front of the filled template', () => {
    const filled = (path: string, resource: string, pathParameters: object) =>
      mappingPrefix(path, { resource, pathParameters })
    expect(filled('/shop/a/b/c', '/a/{proxy+}', { proxy: 'b/c' })).toBe('/shop')
    expect(filled('/shop/a/1', '/a/{x+y}', { 'x+y': '1' })).toBe('/shop')
    expect(filled('/shop', '/', {})).toBe('/shop')
  })

  it('is / where the event has none', () => {
    const event = { ...restApiEvent(), path: undefined as never, resource: undefined as never }
    expect(restApiRequest(event, lambdaContext()).path).toBe('/')
  })
})

describe('a request of the web', () => {
  const parts = (headers: Record<string, string>): WebRequestParts => ({
    protocol: 'https',
    host: 'h.example',
    path: '/a',
    rawQueryString: '',
    method: 'POST',
    headers,
    hasBody: true,
    bytes: () => Buffer.from('x'),
    stream: () => ReadableStream.from([Buffer.from('y')]),
  })
  const packed = {
    'content-encoding': 'gzip',
    'content-length': '9',
    'x-content-length': '1',
    'content-lengthy': '2',
  }
  const names = (headers: Record<string, string>, isUnpacked: boolean, isUnread = false) =>
    [...webRequest(parts(headers), { isUnpacked, isUnread }).headers.keys()].filter(
      (name) => name !== 'content-type',
    )

  it('tells of the coding and the length of what it gives', () => {
    const { 'content-encoding': _, ...plain } = packed
    expect(names(packed, true)).toEqual(['content-lengthy', 'x-content-length'])
    expect(names(packed, false)).toEqual(Object.keys(packed).toSorted())
    expect(names(packed, true, true)).toEqual(Object.keys(packed).toSorted())
    expect(names(plain, true)).toEqual(Object.keys(plain).toSorted())
  })

  it('streams what was not read', async () => {
    expect(await webRequest(parts({}), { isUnpacked: false, isUnread: true }).text()).toBe('y')
    expect(await webRequest(parts({}), { isUnpacked: false, isUnread: false }).text()).toBe('x')
  })
})
