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
})
