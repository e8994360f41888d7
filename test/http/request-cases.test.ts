// The catalogue of request cases (B1 to B58), in the order of its numbers. They are cases of events: Node's own server has
// none, and its requests are in `test/serve`.
import type { HttpRequest, HttpRequestOptions } from 'clearskies-middy'
import { BadRequestError, InvalidEventError, MalformedJsonError } from 'clearskies-middy'
import middy from '@middy/core'
import { albRequest } from 'clearskies-middy/normalizers/alb'
import { anyHttp, anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
import {
  type DescribedRequest,
  albEvent,
  functionUrlEvent,
  httpApiEvent,
  httpApiV1Event,
  invoke,
  lambdaContext,
  restApiEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { gatewaySources as sources } from '../support/sources.ts'

const context = lambdaContext()

type Event = Record<string, unknown>

/** A request of an event, whatever its source, with some fields of the event replaced. */
function read(event: object, changes: Event = {}, options?: HttpRequestOptions): HttpRequest {
  return anyHttpRequest({ ...event, ...changes }, context, options)
}

/** Every source's event of one described request. */
const everywhere = (request: DescribedRequest) =>
  sources.map(({ name, event }) => [name, event(request)] as const)

describe('detection', () => {
  it('http B1: a REST event that also has rawPath is a REST event', () => {
    expect(read(restApiEvent({ path: '/a' }), { rawPath: '/x/a' })).toMatchObject({
      source: 'rest-api',
      path: '/a',
    })
  })

  it.each([
    [
      'VPC Lattice',
      {
        version: '2.0',
        path: '/a?b=c',
        method: 'GET',
        headers: {},
        requestContext: { serviceNetworkArn: 'arn', serviceArn: 'arn', targetGroupArn: 'arn' },
      },
    ],
    [
      'VPC Lattice',
      {
        raw_path: '/a',
        method: 'GET',
        headers: {},
        query_string_parameters: {},
        body: '',
        is_base64_encoded: false,
      },
    ],
    ['EventBridge', { version: '0', id: 'x', 'detail-type': 'y', source: 'aws.ec2', detail: {} }],
    ['direct', { version: '1', triggerSource: 'PreSignUp_SignUp', request: {}, response: {} }],
    [
      'WebSocket API',
      {
        requestContext: { routeKey: '$default', eventType: 'MESSAGE', connectionId: 'x' },
        body: '{}',
        isBase64Encoded: false,
      },
    ],
    [
      'WebSocket API',
      {
        headers: { Host: '', 'X-Forwarded-For': '' },
        requestContext: { routeKey: '$disconnect', eventType: 'DISCONNECT', connectionId: 'x' },
      },
    ],
    ['Lambda@Edge', { Records: [{ cf: { config: {}, request: {} } }] }],
    [
      'authorizer',
      {
        type: 'REQUEST',
        methodArn: 'arn',
        httpMethod: 'GET',
        path: '/',
        headers: {},
        requestContext: { resourcePath: '/', identity: {} },
      },
    ],
    [
      'authorizer',
      {
        type: 'REQUEST',
        version: '2.0',
        routeArn: 'arn',
        rawPath: '/',
        requestContext: { http: { method: 'GET' } },
      },
    ],
    ['authorizer', { type: 'TOKEN', methodArn: 'arn', authorizationToken: 'x' }],
    ['aws:s3', { Records: [{ eventSource: 'aws:s3', s3: {} }] }],
    ['aws:sns', { Records: [{ EventSource: 'aws:sns', Sns: {} }] }],
  ])('http B2, B3, B8: refuses an event of kind %s by name', (kind, event) => {
    const takers = [albRequest, restApiRequest, httpApiRequest, anyHttpRequest]
    for (const take of kind === 'VPC Lattice' ? takers.slice(0, 3) : takers) {
      expect(() => take(event, context)).toThrow(InvalidEventError)
      expect(() => take(event, context)).toThrow(`got "${kind}"`)
    }
  })

  it('http B4: null is absent, in every field', () => {
    for (const [name, event] of everywhere({ method: 'GET' })) {
      const nulled = Object.fromEntries(
        Object.entries(event).map(([key, value]) => [
          key,
          /Parameters$|^(?:multiValueH|h)eaders$|^body$|^cookies$|isBase64|rawQuery|stageVar/.test(key)
            ? null
            : (value as unknown),
        ]),
      )
      const request = anyHttpRequest(nulled, context)
      expect([
        name,
        request.hasBody,
        request.data,
        [...request.query],
        Object.keys(request.headers),
        Object.keys(request.pathParameters),
      ]).toEqual([name, false, undefined, [], [], []])
    }
  })

  it("http B5: the console's test event, all null", () => {
    const request = read(restApiEvent({ path: '/a' }), {
      headers: null,
      multiValueHeaders: null,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      body: null,
      requestContext: {
        resourcePath: '/a',
        httpMethod: 'GET',
        stage: 'test-invoke-stage',
        identity: { sourceIp: 'test-invoke-source-ip' },
      },
    })
    expect({ ...request.headers, ...request.cookies, ...request.pathParameters }).toEqual({})
    expect([request.path, request.clientIp, request.stage, request.host, request.url.href]).toEqual([
      '/a',
      'test-invoke-source-ip',
      'test-invoke-stage',
      undefined,
      'https://localhost/a',
    ])
  })

  it('http B6: where both query maps come, the one with lists is read and the other not added', () => {
    const both = { queryStringParameters: { a: '2' }, multiValueQueryStringParameters: { a: ['1', '2'] } }
    expect(read(albEvent(), both).query.getAll('a')).toEqual(['1', '2'])
    expect(read(restApiEvent(), both).query.getAll('a')).toEqual(['1', '2'])
  })

  it("http B7: a load balancer's health check has neither host nor client", () => {
    const event = {
      ...albEvent({ path: '/health' }),
      headers: { 'user-agent': 'ELB-HealthChecker/2.0' },
      queryStringParameters: {},
      body: '',
    }
    const request = albRequest(event, context)
    expect([
      request.isHealthCheck,
      request.method,
      request.path,
      request.host,
      request.clientIp,
      request.url.href,
    ]).toEqual([true, 'GET', '/health', undefined, undefined, 'https://localhost/health'])
    expect(read(albEvent({ headers: { 'user-agent': 'ELB-HealthChecker/2.0' } })).isHealthCheck).toBe(false)
    expect(read(httpApiEvent({ headers: { 'user-agent': 'ELB-HealthChecker/2.0' } })).isHealthCheck).toBe(
      false,
    )
  })

  it.each([
    [null],
    ['str'],
    [5],
    [true],
    [[]],
    [{}],
    [{ foo: 1 }],
    [{ httpMethod: 'GET' }],
    [{ httpMethod: 'GET', headers: {} }],
    [{ body: 'x' }],
    [{ Records: 'not a list' }],
    [{ Records: [1] }],
    [{ source: 'serverless-plugin-warmup' }],
  ])('http B9, B10: %j is a direct payload, and no request', async (payload) => {
    const echo = middy()
      .use(invocation())
      .handler(({ data }) => data)
    expect(await invoke(echo, payload)).toEqual(payload)
    expect(() => anyHttpRequest(payload, context)).toThrow(InvalidEventError)
  })
})

describe('method', () => {
  it.each(['PUT', 'HEAD', 'OPTIONS', 'PATCH', 'DELETE', 'PROPFIND', 'QUERY', 'purge'])(
    'http B11: %s passes, in upper case',
    (method) => {
      for (const [name, event] of everywhere({ method }))
        expect([name, anyHttpRequest(event, context).method]).toEqual([name, method.toUpperCase()])
    },
  )
})

describe('path', () => {
  it.each([
    ['/capture/space value', '/capture/space%20value', ''],
    ['/users/me?admin=true', '/users/me%3Fadmin=true', ''],
    ['/a#b', '/a%23b', ''],
    ['/100%', '/100%25', ''],
    ['/café', '/caf%C3%A9', ''],
    ['/\u0004', '/%04', ''],
    ['/%25', '/%25', ''],
  ])('http B12: the decoded path %j of an HTTP API cannot reach the query', (rawPath, path) => {
    const request = read(httpApiEvent({ path: '/x?real=1' }), { rawPath })
    expect([request.rawPath, request.path, request.url.pathname, request.url.search]).toEqual([
      rawPath,
      path,
      path,
      '?real=1',
    ])
    expect([...request.query]).toEqual([['real', '1']])
  })

  it('http B13: a function URL has the encoded path in rawPath', () => {
    const event = functionUrlEvent({ path: '/a%2Fb/%04%7F' })
    expect(event.requestContext.http.path).toBe('/a/b/\u0004\u007f')
    expect(read(event).path).toBe('/a%2Fb/%04%7F')
  })

  it('http B14: a path that begins with two slashes stays a path', () => {
    for (const [name, event] of everywhere({
      path: '//evil.example/x',
      headers: { host: 'shop.example.com' },
    })) {
      const { url, path } = anyHttpRequest(event, context)
      expect([name, url.host, url.pathname, path]).toEqual([
        name,
        'shop.example.com',
        // What stands in front of a REST API's path is its stage.
        name === 'rest-api' ? '/prod//evil.example/x' : '//evil.example/x',
        '//evil.example/x',
      ])
    }
  })

  it.each([
    ['/dev/agents/1', 'dev', '/agents/1', '/dev'],
    ['/dev', 'dev', '/', '/dev'],
    ['/development/1', 'dev', '/development/1', ''],
    ['/agents/1', 'dev', '/agents/1', ''],
    ['/agents/1', '$default', '/agents/1', ''],
  ])('http B15: %s at the stage %s is %s', (rawPath, stage, path, basePath) => {
    const event = httpApiEvent({ path: '/x', stage })
    expect(read(event, { rawPath })).toMatchObject({ path, basePath })
    expect(read(event, { rawPath }, { stripStage: false })).toMatchObject({ path: rawPath, basePath: '' })
    expect(read(httpApiV1Event({ stage }), { path: rawPath })).toMatchObject({ path, basePath })
  })

  it('http B15: a custom domain leaves the stage out, so that a route may begin with its name', () => {
    const event = httpApiEvent({ path: '/x', stage: 'dev' })
    const custom = {
      ...event,
      rawPath: '/dev/agents',
      requestContext: { ...event.requestContext, domainName: 'api.example.com' },
    }
    expect(read(custom)).toMatchObject({ path: '/dev/agents', basePath: '' })
  })

  it.each([
    ['/payment', '/payment', '/v1', '/payment'],
    ['/payment/{id}', '/payment/a%20b', '/v1', '/payment/a%20b'],
    ['/{proxy+}', '/x/y', '/v1', '/x/y'],
    ['/', '/', '/v1', '/'],
  ])(
    "http B16: a REST API's custom domain mapping is taken off, resource %s",
    (resource, path, basePath, expected) => {
      expect(read(restApiEvent({ path, resource, basePath }))).toMatchObject({
        path: expected,
        basePath,
        resource,
      })
    },
  )

  it.each<[HttpRequestOptions['basePath'], string, string]>([
    ['/api', '/products', '/api'],
    ['api/', '/products', '/api'],
    [['/v1', '/api'], '/products', '/api'],
    [/^\/a[a-z]+/, '/products', '/api'],
    ['/ap', '/api/products', ''],
    [/products/, '/api/products', ''],
  ])('http B16: the option basePath %o', (basePath, path, taken) => {
    for (const [name, event] of everywhere({ path: '/api/products' })) {
      const request = anyHttpRequest(event, context, { basePath: basePath! })
      expect([name, request.path, request.basePath, request.url.pathname]).toEqual([
        name,
        path,
        name === 'rest-api' ? `/prod${taken}` : taken,
        name === 'rest-api' ? '/prod/api/products' : '/api/products',
      ])
    }
  })

  it('http B17: a proxy parameter does not replace the path', () => {
    expect(read(restApiEvent({ path: '/api/v1/a%20b', resource: '/api/{proxy+}' }))).toMatchObject({
      path: '/api/v1/a%20b',
      pathParameters: { proxy: 'v1/a b' },
    })
  })

  it('http B18: path parameters are decoded once, where the source has not', () => {
    expect(
      read(restApiEvent(), { pathParameters: { id: 'a%2Fb', x: '%2541', y: '100%25' } }).pathParameters,
    ).toMatchObject({ id: 'a/b', x: '%41', y: '100%' })
    for (const event of [httpApiEvent(), httpApiV1Event()]) {
      expect(
        read(event, { pathParameters: { id: 'a/b', x: '%41', y: '100%' } }).pathParameters,
      ).toMatchObject({ id: 'a/b', x: '%41', y: '100%' })
    }
  })

  it('http B19: a malformed path parameter is a 400, and odd paths are paths', () => {
    expect(() => read(restApiEvent(), { pathParameters: { id: '100%' } }).pathParameters).toThrow(
      BadRequestError,
    )
    expect(() => read(restApiEvent(), { pathParameters: { id: '100%' } }).pathParameters).toThrow('"id"')
    expect(read(restApiEvent({ path: '/a/' })).path).toBe('/a/')
    expect(read(albEvent({ path: '/a//b' })).path).toBe('/a//b')
    for (const [name, event] of everywhere({}))
      expect([name, anyHttpRequest({ ...event, path: undefined, rawPath: undefined }, context).path]).toEqual(
        [name, '/'],
      )
  })

  it.each([
    ['/%41%7e%2d', '/A~-'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/%2e%2e/x', '/%252E%252E/x'],
    ['/%2eb/a%2E%2Eb', '/.b/a..b'],
    ['/%2f', '/%2F'],
    ['/a%%41%', '/a%25A%25'],
    ['/\ud800', '/%EF%BF%BD'],
    ['x', '/x'],
  ])('has one spelling: %j is %j', (path, canonical) => {
    expect(read(albEvent(), { path }).path).toBe(canonical)
  })
})

describe('query', () => {
  it('http B20: a load balancer encodes names and values; they are decoded once, as forms are', () => {
    const single = { name: 'Alex+Taylor', p: '100%25', 'k%20ey': 'v', amp: 'a%26b%3Dc', twice: '%252B' }
    const multi = Object.fromEntries(Object.entries(single).map(([name, value]) => [name, [value]]))
    const expected = { name: 'Alex Taylor', p: '100%', 'k ey': 'v', amp: 'a&b=c', twice: '%2B' }
    expect(Object.fromEntries(read(albEvent(), { queryStringParameters: single }).query)).toEqual(expected)
    expect(
      Object.fromEntries(
        read(albEvent({ multiValue: true }), { multiValueQueryStringParameters: multi }).query,
      ),
    ).toEqual(expected)
  })

  it('http B21: a malformed escape is kept', () => {
    expect(
      read(albEvent(), { queryStringParameters: { bad: '100%', worse: '%E0%A4%A' } }).query.get('bad'),
    ).toBe('100%')
  })

  it('http B22: what a REST API has decoded is not decoded again', () => {
    const request = read(restApiEvent({ path: '/?plus=a%2Bb&space=a+b&percent=%2541' }))
    expect(Object.fromEntries(request.query)).toEqual({ plus: 'a+b', space: 'a b', percent: '%41' })
    expect(new URLSearchParams(request.rawQueryString).get('plus')).toBe('a+b')
  })

  it.each([
    ['repeat=one&repeat=two', ['one', 'two']],
    ['repeat=one,two', ['one,two']],
    ['repeat=one%2Ctwo', ['one,two']],
  ])('http B23: ?%s is no list of commas', (query, values) => {
    for (const event of [httpApiEvent({ path: `/?${query}` }), functionUrlEvent({ path: `/?${query}` })])
      expect(read(event).query.getAll('repeat')).toEqual(values)
  })

  it('http B24: parameters without a value are there', () => {
    for (const [name, event] of everywhere({ path: '/?flag&a=' }))
      expect([name, [...anyHttpRequest(event, context).query]]).toEqual([
        name,
        [
          ['flag', ''],
          ['a', ''],
        ],
      ])
    expect(read(httpApiEvent({ path: '/?flag&a=' })).rawQueryString).toBe('flag&a=')
  })

  it('http B25: one question mark in front of the raw query is none of it', () => {
    const request = read(functionUrlEvent(), { rawQueryString: '?a=b' })
    expect([request.query.get('a'), request.rawQueryString, request.url.search]).toEqual(['b', 'a=b', '?a=b'])
  })

  it('http B26: names of prototypes are names', () => {
    const names = ['__proto__', 'constructor', 'toString']
    for (const [name, event] of everywhere({
      path: `/?${names.map((one) => `${one}=1`).join('&')}`,
      headers: Object.fromEntries([...names.map((one) => [one, 'h'] as const)]),
      cookies: { constructor: 'c', toString: 'c' },
    })) {
      const request = anyHttpRequest(
        { ...event, pathParameters: JSON.parse('{"__proto__":"p","constructor":"p"}') as unknown },
        context,
      )
      expect([
        name,
        request.query.get('__proto__'),
        request.header('constructor'),
        request.cookies['constructor'],
      ]).toEqual([name, '1', 'h', 'c'])
      expect(Object.keys(request.pathParameters)).toEqual(
        request.source === 'function-url' ? ['__proto__', 'constructor'] : ['__proto__', 'constructor'],
      )
      for (const map of [request.headers, request.cookies, request.pathParameters])
        expect(Object.getPrototypeOf(map)).toBeNull()
      expect(request.header('valueOf')).toBeUndefined()
      expect(({} as Event)['polluted']).toBeUndefined()
    }
  })

  it('http B27: values of one name keep their order', () => {
    for (const [name, event] of everywhere({ path: '/?b=2&a=1&b=3&b=1' })) {
      if (name !== 'alb')
        expect([name, anyHttpRequest(event, context).query.getAll('b')]).toEqual([name, ['2', '3', '1']])
    }
  })
})

describe('headers and cookies', () => {
  it('http B28: names in any case are one name', () => {
    const request = read(restApiEvent(), {
      headers: { Host: 'h', 'X-A': '1', 'x-a': '2', 'CONTENT-TYPE': 'application/json' },
      multiValueHeaders: null,
    })
    expect(request.headers).toMatchObject({ host: 'h', 'x-a': '1, 2', 'content-type': 'application/json' })
    expect([request.header('content-Type'), request.headerValues('X-A')]).toEqual([
      'application/json',
      ['1', '2'],
    ])
  })

  it('http B29: all lines of a repeated header, in order', () => {
    const lines = ['gzip', 'x-gzip', 'zip']
    const request = read(restApiEvent({ headers: { accept: lines } }))
    expect([request.headers['accept'], request.headerValues('Accept')]).toEqual(['gzip, x-gzip, zip', lines])
  })

  it('http B30: a load balancer in multi-value mode has lists only', () => {
    for (const headers of [undefined, null]) {
      const request = read(albEvent({ multiValue: true, headers: { accept: ['a', 'b'], 'x-one': '1' } }), {
        headers,
      })
      expect([request.header('accept'), request.headers['x-one'], request.host, request.clientIp]).toEqual([
        'a, b',
        '1',
        'shop.example.com',
        '203.0.113.7',
      ])
    }
  })

  it('http B31: cookies are joined with semicolons, everything else with commas', () => {
    for (const event of [
      albEvent({
        multiValue: true,
        headers: { cookie: ['a=1', 'b=2'], 'x-forwarded-for': ['6.6.6.6', '7.7.7.7'] },
      }),
      restApiEvent({ headers: { cookie: ['a=1', 'b=2'], 'x-forwarded-for': ['6.6.6.6', '7.7.7.7'] } }),
    ]) {
      const request = read(event)
      expect([request.headers['cookie'], request.headers['x-forwarded-for'], { ...request.cookies }]).toEqual(
        ['a=1; b=2', '6.6.6.6, 7.7.7.7, 203.0.113.7', { a: '1', b: '2' }],
      )
    }
  })

  it('http B32: a function URL has its cookies twice, and they count once', () => {
    const request = read(functionUrlEvent({ cookies: { a: '1', b: '2' } }))
    expect([request.headers['cookie'], request.headerValues('cookie')]).toEqual(['a=1; b=2', ['a=1; b=2']])
    expect(read(functionUrlEvent({ cookies: { a: '1' } }), { cookies: [] }).cookies).toMatchObject({ a: '1' })
    expect(read(httpApiEvent(), { cookies: [] }).headers).not.toHaveProperty('cookie')
  })

  it.each([
    ['a=1;b=2', { a: '1', b: '2' }],
    ['t=a==', { t: 'a==' }],
    ['a=1; a=2', { a: '1' }],
    ['A=1; a=2', { A: '1', a: '2' }],
    ['a=%', { a: '%' }],
    ['a=%C5%BC', { a: 'ż' }],
    ['a="x y"', { a: 'x y' }],
    ['cookie1; b=2', { cookie1: '', b: '2' }],
    [' a = 1 ;; ', { a: '1' }],
    ['=x; a=1', { a: '1' }],
    ['a="', { a: '"' }],
  ])('http B33: the cookies %j', (cookie, expected) => {
    expect({ ...read(albEvent({ headers: { cookie } })).cookies }).toEqual(expected)
  })

  it('http B34: empty headers stay, absent ones are none', () => {
    expect(Object.entries(read(albEvent(), { headers: { a: '', b: null, c: undefined } }).headers)).toEqual([
      ['a', ''],
    ])
    expect(
      Object.entries(
        read(albEvent({ multiValue: true }), { multiValueHeaders: { a: [''], b: null, c: [null, 'x'] } })
          .headers,
      ),
    ).toEqual([
      ['a', ''],
      ['c', 'x'],
    ])
  })

  it('http B35: values in other alphabets pass, also where a web request cannot hold them', () => {
    for (const [name, event] of everywhere({ headers: { 'x-city': '炎', 'a"a': 'x' } })) {
      const request = anyHttpRequest(event, context)
      expect([name, request.header('x-city'), request.toWebRequest().headers.get('x-city')]).toEqual([
        name,
        '炎',
        null,
      ])
    }
  })

  it('http B36: x_user is not x-user', () => {
    expect(read(albEvent({ headers: { x_user: 'evil', 'x-user': 'good' } })).headers).toMatchObject({
      x_user: 'evil',
      'x-user': 'good',
    })
  })

  it('http B37: the length of a body is that of its bytes, whatever a header says', () => {
    const event = albEvent({
      method: 'POST',
      headers: { 'content-type': 'image/png', 'content-length': '1' },
      body: new Uint8Array(5),
    })
    expect(read(event).bytes()).toHaveLength(5)
    expect(read(restApiEvent({ body: 'ż' })).header('content-length')).toBeUndefined()
    expect(read(restApiEvent({ body: 'ż' })).bytes()).toHaveLength(2)
  })
})

describe('client, protocol, host', () => {
  const forwarded = (value: string, options?: HttpRequestOptions) =>
    read(albEvent(), { headers: { 'x-forwarded-for': value } }, options).clientIp

  it('http B38: the right-most hop that a trusted proxy wrote, and never what the client wrote', () => {
    expect(forwarded('6.6.6.6, 1.2.3.4')).toBe('1.2.3.4')
    expect(forwarded('127.0.0.1, 1.2.3.4, 9.9.9.9', { trustedProxies: 2 })).toBe('1.2.3.4')
    expect(forwarded('1.2.3.4', { trustedProxies: 2 })).toBe('1.2.3.4')
    expect(forwarded('1.2.3.4', { trustedProxies: 0 })).toBeUndefined()
  })

  it.each([
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['6.6.6.6,1.2.3.4', '1.2.3.4'],
    ['', undefined],
    [' , ', undefined],
  ])('http B39: %j is %j', (value, ip) => {
    expect(forwarded(value)).toBe(ip)
  })

  it('http B39: the lines of the header are one list; without the header nobody is known', () => {
    expect(
      read(albEvent({ multiValue: true }), {
        multiValueHeaders: { 'x-forwarded-for': ['6.6.6.6', '7.7.7.7, 1.2.3.4'] },
      }).clientIp,
    ).toBe('1.2.3.4')
    expect(read(albEvent(), { headers: {} }).clientIp).toBeUndefined()
  })

  it('http B40: gateways tell their peer, and what a header says counts only behind trusted proxies', () => {
    for (const event of [restApiEvent, httpApiEvent, functionUrlEvent, httpApiV1Event]) {
      const described = event({ clientIp: '9.9.9.9', headers: { 'x-forwarded-for': '6.6.6.6, 1.2.3.4' } })
      expect(read(described).clientIp).toBe('9.9.9.9')
      expect(read(described, {}, { trustedProxies: 1 }).clientIp).toBe('1.2.3.4')
      expect(read(event({ clientIp: '9.9.9.9' }), {}, { trustedProxies: 1 }).clientIp).toBe('9.9.9.9')
    }
  })

  it('http B41: the protocol is what the load balancer saw, and https at the gateways', () => {
    expect(read(albEvent({ protocol: 'http' })).protocol).toBe('http')
    expect(read(albEvent(), { headers: {} }).protocol).toBe('https')
    for (const event of [restApiEvent, httpApiEvent, functionUrlEvent])
      expect(read(event({ protocol: 'http' })).protocol).toBe('https')
  })

  it.each([
    'evil.example/x',
    'a b',
    'a@b',
    'a?b',
    'a#b',
    'h:99999',
    '1.2.3.4.5',
    '',
    'ünï',
    '[::1',
    'a\\b',
    'a:b:c',
    '-',
  ])('http B42: %j is no host', (host) => {
    expect(read(httpApiEvent({ headers: { host } })).host).toBe(
      'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
    )
    expect(read(albEvent({ headers: { host } })).url.host).toBe('localhost')
  })

  it.each(['shop.example.com', 'localhost:3000', '127.0.0.1:80', '[::1]:3000', 'a_b.example'])(
    'http B42: %j is one',
    (host) => {
      expect(read(albEvent({ headers: { host } })).host).toBe(host)
    },
  )
})

describe('body', () => {
  it.each([
    'application/problem+json',
    'application/vnd.api+json',
    'application/x-www-form-urlencoded',
    undefined,
  ])('http B43: a body of %s comes as base64 and is read all the same', (type) => {
    for (const event of [albEvent, httpApiEvent, functionUrlEvent]) {
      const described = event({
        body: '{"a":"ż"}',
        ...(type !== undefined && { headers: { 'content-type': type } }),
      })
      expect(described.isBase64Encoded).toBe(true)
      expect([read(described).json(), read(described).text(), read(described).data]).toEqual([
        { a: 'ż' },
        '{"a":"ż"}',
        { a: 'ż' },
      ])
    }
  })

  it('http B44: bytes stay bytes', () => {
    for (const [name, event] of everywhere({
      body: Buffer.from('//4AgA==', 'base64'),
      headers: { 'content-type': 'image/png' },
    })) {
      if (name !== 'rest-api')
        expect([name, [...anyHttpRequest(event, context).bytes()]]).toEqual([name, [255, 254, 0, 128]])
    }
    expect([
      ...read(
        restApiEvent({
          body: new Uint8Array([255, 254]),
          headers: { 'content-type': 'image/png' },
          binaryMediaTypes: ['image/*'],
        }),
      ).bytes(),
    ]).toEqual([255, 254])
  })

  it('http B45: nothing, null and empty text are no body', () => {
    for (const body of [null, undefined, '']) {
      for (const [name, event] of everywhere({})) {
        const request = anyHttpRequest({ ...event, body }, context)
        expect([
          name,
          request.hasBody,
          request.json(),
          request.data,
          request.text(),
          request.bytes().length,
        ]).toEqual([name, false, undefined, undefined, '', 0])
      }
    }
  })

  it('http B46: a GET may have a body', () => {
    for (const [name, event] of everywhere({ method: 'GET', body: { a: 1 } })) {
      const request = anyHttpRequest(event, context)
      expect([name, request.data, request.toWebRequest().body]).toEqual([name, { a: 1 }, null])
    }
  })

  it('http B47: a byte order mark is skipped', () => {
    for (const [name, event] of everywhere({
      method: 'POST',
      body: '\ufeff{"a":1}',
      headers: { 'content-type': 'application/json' },
    })) {
      const request = anyHttpRequest(event, context)
      expect([name, request.data, request.text()]).toEqual([name, { a: 1 }, '{"a":1}'])
    }
  })

  it('http B48: malformed JSON is a 400 that says where, and no valid value is taken for it', () => {
    expect(() => read(albEvent({ body: '{"a": hunter2}' })).json()).toThrow(MalformedJsonError)
    expect(() => read(albEvent({ body: '{"a": hunter2}' })).json()).toThrow(/position 6$/)
    for (const body of ['null', '0', '""', '[]', 'false'])
      expect(read(albEvent({ body })).json()).toEqual(JSON.parse(body))
  })

  it('http B49: JSON is parsed whatever the content type says', () => {
    for (const type of ['application/json ; charset=utf-8', 'APPLICATION/JSON', 'text/json', 'text/plain']) {
      for (const [name, event] of everywhere({ body: '{"a":1}', headers: { 'content-type': type } }))
        expect([name, type, anyHttpRequest(event, context).data]).toEqual([name, type, { a: 1 }])
    }
  })

  it('http B50: __proto__ in JSON is an own property and pollutes nothing', () => {
    const data = read(albEvent({ body: '{"__proto__":{"admin":true}}' })).data as Event
    expect([Object.hasOwn(data, '__proto__'), data['admin'], ({} as Event)['admin']]).toEqual([
      true,
      undefined,
      undefined,
    ])
  })

  it('http B51: with decompress: false a packed body stays as it is', () => {
    const bytes = Buffer.from('H4sIAAAAAAAAA6tWSlSyMqwFANQ8oSkHAAAA', 'base64')
    const request = read(
      httpApiEvent({
        body: bytes,
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      }),
      {},
      { decompress: false },
    )
    expect(Buffer.from(request.bytes()).equals(bytes)).toBe(true)
  })

  it('http B52: the event stays as it was, and is at hand', () => {
    for (const [name, event] of everywhere({
      path: '/a%20b?c=d',
      headers: { 'X-A': 'b', cookie: 'e=f' },
      body: { g: 'h' },
    })) {
      const before = structuredClone(event)
      const request = anyHttpRequest(event, context)
      request.headers['x-a'] = 'changed'
      request.body = {}
      request.query.set('c', 'changed')
      request.pathParameters = { id: 'x' }
      for (const member of ['path', 'cookies', 'url', 'multiValueHeaders', 'authorizer', 'data'] as const) {
        expect(request[member]).toBeDefined()
      }
      expect([name, event, request.raw === event]).toEqual([name, before, true])
    }
  })
})

describe('authorizer', () => {
  it.each([
    ['nobody', httpApiEvent(), { kind: 'none' }],
    [
      'nobody, null',
      { ...httpApiEvent(), requestContext: { ...httpApiEvent().requestContext, authorizer: null } },
      { kind: 'none' },
    ],
    [
      'a JWT (2.0)',
      httpApiEvent({ authorizer: { jwt: { claims: { sub: 'u' }, scopes: ['a', 'b'] } } }),
      { kind: 'jwt', claims: { sub: 'u' }, scopes: ['a', 'b'] },
    ],
    [
      'a JWT without scopes',
      httpApiEvent({ authorizer: { jwt: { claims: { sub: 'u' }, scopes: null } } }),
      { kind: 'jwt', claims: { sub: 'u' }, scopes: [] },
    ],
    [
      'a function (2.0)',
      httpApiEvent({ authorizer: { lambda: { key: 'v' } } }),
      { kind: 'lambda', context: { key: 'v' } },
    ],
    ['a function that gave nothing', httpApiEvent({ authorizer: { lambda: null } }), { kind: 'none' }],
    [
      'IAM (2.0)',
      httpApiEvent({
        authorizer: {
          iam: { userArn: 'arn', accountId: '1', accessKey: 'AK', callerId: 'c', cognitoIdentity: null },
        },
      }),
      { kind: 'iam', userArn: 'arn', accountId: '1', accessKey: 'AK', callerId: 'c' },
    ],
    [
      'IAM (function URL)',
      functionUrlEvent({ authorizer: { iam: { userArn: 'arn' } } }),
      { kind: 'iam', userArn: 'arn' },
    ],
    [
      'a function (1.0)',
      restApiEvent({ authorizer: { principalId: 'p', clientId: 1, clientName: 'x', integrationLatency: 5 } }),
      { kind: 'lambda', principalId: 'p', context: { clientId: 1, clientName: 'x' } },
    ],
    [
      'Cognito',
      restApiEvent({ authorizer: { claims: { sub: 'u' } } }),
      { kind: 'cognito', claims: { sub: 'u' } },
    ],
    [
      'a JWT (1.0)',
      httpApiV1Event({ authorizer: { claims: { sub: 'u' }, scopes: ['a'] } }),
      { kind: 'jwt', claims: { sub: 'u' }, scopes: ['a'] },
    ],
    ['nobody (1.0)', httpApiV1Event({ authorizer: { claims: null, scopes: null } }), { kind: 'none' }],
    [
      'IAM (REST)',
      restApiEvent({ identity: { userArn: 'arn', accountId: '1', accessKey: 'AK', caller: 'c' } }),
      { kind: 'iam', userArn: 'arn', accountId: '1', accessKey: 'AK', callerId: 'c' },
    ],
    ['a load balancer without authentication', albEvent(), { kind: 'none' }],
  ])('http B53: %s', (_, event, expected) => {
    expect(read(event).authorizer).toEqual(expected)
  })

  it("http B54: a load balancer's headers are named for what they are, unverified", () => {
    const headers = {
      'x-amzn-oidc-data': 'jwt',
      'x-amzn-oidc-identity': 'sub',
      'x-amzn-oidc-accesstoken': 'token',
    }
    expect(read(albEvent({ headers })).authorizer).toEqual({
      kind: 'alb-oidc',
      data: 'jwt',
      identity: 'sub',
      accessToken: 'token',
    })
    expect(read(albEvent({ headers: { 'x-amzn-oidc-identity': 'sub' } })).authorizer).toEqual({
      kind: 'none',
    })
    expect(read(httpApiEvent({ headers })).authorizer).toEqual({ kind: 'none' })
  })
})

describe('what sources have', () => {
  it('stage, resource, ids', () => {
    expect(read(httpApiEvent({ path: '/p/7', route: '/p/{id}', stage: 'dev' }))).toMatchObject({
      stage: 'dev',
      resource: '/p/{id}',
      requestId: 'JKJaXmPLvHcESHA=',
    })
    expect(read(httpApiEvent())).toMatchObject({ stage: '$default', resource: undefined })
    expect(read(restApiEvent({ path: '/p/7', resource: '/p/{id}' }))).toMatchObject({
      stage: 'prod',
      resource: '/p/{id}',
    })
    expect(read(functionUrlEvent())).toMatchObject({ stage: undefined, resource: undefined })
    expect(read(albEvent())).toMatchObject({
      stage: undefined,
      resource: undefined,
      requestId: 'Root=1-5e1b4151-5ac6c58f3b1a2b3c4d5e6f70',
      traceId: 'Root=1-5e1b4151-5ac6c58f3b1a2b3c4d5e6f70',
    })
  })

  it('a client address that is repeated in the header is found at its right-most place', () => {
    expect(
      read(
        restApiEvent({ clientIp: '9.9.9.9', headers: { 'x-forwarded-for': '9.9.9.9, 1.2.3.4' } }),
        {},
        { trustedProxies: 1 },
      ).clientIp,
    ).toBe('1.2.3.4')
  })

  it('the URL that the client used, and the view of payload 1.0', () => {
    const request = read(
      httpApiEvent({ path: '/p?a=1&a=2', stage: 'dev', headers: { host: 'shop.example.com', accept: 'x' } }),
    )
    expect([request.url.href, request.toWebRequest().url]).toEqual([
      'https://shop.example.com/dev/p?a=1&a=2',
      'https://shop.example.com/p?a=1&a=2',
    ])
    expect(request).toMatchObject({
      httpMethod: 'GET',
      version: '1.0',
      queryStringParameters: { a: '2' },
      multiValueQueryStringParameters: { a: ['1', '2'] },
      multiValueHeaders: { accept: ['x'] },
    })
    expect(Object.keys(request)).not.toEqual(expect.arrayContaining(['httpMethod']))
    expect(Object.keys(request)).not.toContain('raw')
  })

  it('anyHttp() behind every source', async () => {
    const handler = middy()
      .use(anyHttp())
      .handler(({ source }) => source)
    for (const { name, event } of sources)
      expect([name, await invoke(handler, event())]).toMatchObject([
        name,
        { statusCode: 200, body: name.replace(/-multi-value|-1\.0/, '') },
      ])
  })
})

// B55 to B58 are about records of a queue; see the cases of SQS.
