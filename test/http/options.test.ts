import { alb, eachRecord, environment, sqs } from 'clearskies-middy'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { describe, expect, it } from 'vitest'

describe('options are checked when a factory is called', () => {
  it.each([
    ['an unknown one', () => alb({ trustProxy: 1 } as never), 'alb() has no option "trustProxy"'],
    ['a wrong count', () => alb({ trustedProxies: -1 }), 'alb(): the option "trustedProxies"'],
    ['a wrong format', () => alb({ errors: 'xml' } as never), 'alb(): the option "errors"'],
    ['a logger without warn', () => alb({ logger: { error() {} } } as never), 'alb(): the option "logger"'],
    ['a wrong body', () => sqs({ body: 'xml' } as never), 'sqs(): the option "body"'],
    [
      'no concurrency',
      () => eachRecord(() => 1, { concurrency: 0 }),
      'eachRecord(): the option "concurrency"',
    ],
    ['a negative margin', () => eachRecord(() => 1, { deadlineMargin: -1 }), 'the option "deadlineMargin"'],
    ['no margin', () => eachRecord(() => 1, { deadlineMargin: NaN }), 'the option "deadlineMargin"'],
    ['a margin in words', () => eachRecord(() => 1, { deadlineMargin: '1s' } as never), '"deadlineMargin"'],
    ['a margin of text', () => eachRecord(() => 1, { deadlineMargin: '250' } as never), '"deadlineMargin"'],
    ['a queue without address', () => eachRecord(() => 1, { deadLetter: {} } as never), '"deadLetter"'],
    ['no queue', () => eachRecord(() => 1, { deadLetter: null } as never), '"deadLetter"'],
    ['a base path that is none', () => alb({ basePath: 7 } as never), 'alb(): the option "basePath"'],
    ['a base path that is none, in a list', () => alb({ basePath: ['/a', 7] } as never), '"basePath"'],
    ['a negative ttl', () => parameterStore({ ttl: -1 }), 'parameterStore(): the option "ttl"'],
    [
      'a schema without names',
      () => environment({ schema: { '~standard': { validate() {} } } } as never),
      'environment(): the option "schema" needs "names"',
    ],
  ])('%s is a TypeError that names it', (_, make, message) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  it.each([
    [
      'base paths',
      () => [alb({ basePath: '/a' }), alb({ basePath: ['/a', '/b'] }), alb({ basePath: /^.a/ })],
    ],
    [
      'formats',
      () => [alb({ errors: 'problem' }), alb({ errors: 'clearskies' }), alb({ errors: () => null as never })],
    ],
    [
      'margins',
      () => [eachRecord(() => 1, { deadlineMargin: 0 }), eachRecord(() => 1, { deadlineMargin: 0.5 })],
    ],
  ])('and taken where they are right: %s', (_, make) => {
    expect(make).not.toThrow()
  })
})
