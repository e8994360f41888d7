// What a log shows of requests, through Middy's own logger.
import middy from '@middy/core'
import inputOutputLogger from '@middy/input-output-logger'
import inputOutputLogger6 from 'middy-input-output-logger-6'
import { eachRecord, invocation, respond, sns, sqs } from 'clearskies-middy'
import { snsEvent, sqsEvent } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { describe, expect, it } from 'vitest'
import { sources, invoke } from '../support/sources.ts'

/** Adds middlewares without their types, which this file does not test. */
function chainOf(core: typeof middy, middlewares: readonly object[]): middy.MiddyfiedHandler {
  const chain = core()
  for (const middleware of middlewares) chain.use(middleware as never)
  return chain
}

type Logger = typeof inputOutputLogger

const majors = [
  ['7', middy, inputOutputLogger],
  ['6', middy6 as unknown as typeof middy, inputOutputLogger6 as unknown as Logger],
] as const

interface Chain {
  readonly normalizer: object
  readonly event: unknown
  readonly omitPaths: readonly string[]
  readonly mask?: string | undefined
  readonly handler?: (request: never) => unknown
}

describe.each(majors)('the input-output-logger of Middy %s', (_, core, logger) => {
  /** The lines of one invocation, as they are printed. */
  async function linesOf({ normalizer, event, omitPaths, mask, handler = () => 1 }: Chain) {
    const lines: string[] = []
    const options = { omitPaths: [...omitPaths], logger: (line: unknown) => lines.push(JSON.stringify(line)) }
    const chain = chainOf(core, [normalizer, logger({ ...options, ...(mask !== undefined && { mask }) })])
    const answer = await invoke(chain.handler(handler as never), event)
    return { lines, answer }
  }

  describe.each(sources)('behind $name', ({ normalizer, event: toEvent }) => {
    const event = toEvent({
      method: 'POST',
      path: '/a%20b?token=QUERY7&page=2',
      headers: {
        authorization: 'Bearer S3CRET',
        cookie: 's=COOKIE',
        'x-kept': 'kept',
        'content-type': 'application/json',
      },
      body: { password: 'PW123' },
    })

    it.each([undefined, '*****'])(
      'H1: what omitPaths names is in no line, with the mask %s',
      async (mask) => {
        const omitPaths = [
          'event.headers.authorization',
          'event.headers.cookie',
          'event.body',
          'event.queryStringParameters.token',
        ]
        const { lines } = await linesOf({ normalizer: normalizer(), event, omitPaths, mask })
        expect(lines).toHaveLength(2)
        expect(lines.join()).not.toMatch(/S3CRET|COOKIE|PW123|QUERY7/)
        expect(JSON.parse(lines[0]!)).toMatchObject({
          event: {
            kind: 'http',
            method: 'POST',
            path: '/a%20b',
            headers: { 'x-kept': 'kept' },
            queryStringParameters: { page: '2' },
          },
        })
      },
    )

    it('H1: what nobody names is printed once', async () => {
      const { lines } = await linesOf({ normalizer: normalizer(), event, omitPaths: ['event.nothing'] })
      for (const secret of ['S3CRET', 'COOKIE', 'PW123', 'QUERY7'])
        expect(lines[0]!.split(secret)).toHaveLength(2)
    })

    it('H1: a clone, a copy and JSON of a request are its members', async () => {
      const seen: unknown[] = []
      const { answer } = await linesOf({
        normalizer: normalizer(),
        event,
        omitPaths: [],
        handler: (request: object) => {
          seen.push(structuredClone(request), { ...request }, JSON.parse(JSON.stringify(request)))
        },
      })
      expect(answer).toMatchObject({ statusCode: 204 })
      for (const copy of seen) {
        expect(copy).toMatchObject({
          kind: 'http',
          method: 'POST',
          path: '/a%20b',
          pathParameters: {},
          headers: { cookie: 's=COOKIE' },
        })
        expect(Object.keys(copy as object)).not.toEqual(expect.arrayContaining(['raw']))
      }
    })

    it('H1: what omitPaths names of a response is in no line', async () => {
      const { lines, answer } = await linesOf({
        normalizer: normalizer(),
        event,
        omitPaths: ['response.cookies', 'response.body'],
        handler: () => respond('BODY9', { cookies: ['sid=SESSION'], headers: { 'x-kept': 'kept' } }),
      })
      expect(lines[1]).not.toMatch(/BODY9|SESSION/)
      expect(lines[1]).toContain('kept')
      expect(JSON.stringify(answer)).toMatch(/SESSION/)
    })
  })

  it('H1: behind sqs() the records are printed as paths name them', async () => {
    const event = sqsEvent([{ body: { password: 'PW123' } }, { body: { password: 'PW123' } }])
    const { lines } = await linesOf({
      normalizer: sqs(),
      event,
      omitPaths: ['event.Records.[].body'],
      handler: eachRecord(() => {}) as never,
    })
    expect(lines[0]).not.toContain('PW123')
    expect(lines[0]).toContain(event.Records[1]!.messageId)
  })

  it('H1: behind sns() the messages are printed as paths name them', async () => {
    const { lines } = await linesOf({
      normalizer: sns(),
      event: snsEvent([{ message: { password: 'PW123' } }]),
      omitPaths: ['event.Records.[].Sns.Message'],
      handler: eachRecord(() => {}) as never,
    })
    expect(lines[0]).not.toContain('PW123')
    expect(lines[0]).toContain('aws:sns')
  })

  it('H1: in the chain of one record the record is printed as paths name it', async () => {
    const lines: string[] = []
    const omitPaths = ['event.record.body', 'event.record.Sns.Message']
    const perRecord = () =>
      chainOf(core, [
        logger({ omitPaths: [...omitPaths], logger: (line: unknown) => lines.push(JSON.stringify(line)) }),
      ]).handler((() => {}) as never)
    const chain = (normalizer: object) =>
      chainOf(core, [normalizer]).handler(eachRecord(perRecord() as never) as never)
    await invoke(chain(sqs()), sqsEvent([{ body: { password: 'PW123' } }]))
    await invoke(chain(sns()), snsEvent([{ message: { password: 'PW123' } }]))
    expect(lines.join()).not.toContain('PW123')
    expect(lines.join()).toMatch(/eventSourceARN.*TopicArn/s)
  })

  it('H1: behind invocation() the keys of the payload are printed', async () => {
    const payload = { password: 'PW123', user: 'kept', constructor: 'x', list: [{ pin: 'PIN4' }] }
    const { lines, answer } = await linesOf({
      normalizer: invocation(),
      event: payload,
      omitPaths: ['event.password', 'event.list.[].pin'],
      handler: ({ data }: { data: unknown }) => structuredClone(data),
    })
    expect(lines[0]).not.toMatch(/PW123|PIN4/)
    expect(lines[0]).toContain('kept')
    expect(answer).toEqual(payload)
  })

  it.each([[[{ pin: 'PIN4', user: 'kept' }]], ['kept'], [null], [7]])(
    'H1: behind invocation() a payload that is no object is printed as data',
    async (payload) => {
      const { lines } = await linesOf({
        normalizer: invocation(),
        event: payload,
        omitPaths: ['event.data.[].pin'],
      })
      expect(lines[0]).not.toContain('PIN4')
      expect(JSON.parse(lines[0]!)).toMatchObject({
        event: { kind: 'invocation', data: Array.isArray(payload) ? [{ user: 'kept' }] : payload },
      })
    },
  )
})

it('H1: a payload with the names of a request changes no request', async () => {
  const payload = JSON.parse(
    '{"__proto__": {"a": 1}, "raw": 1, "source": "x", "toJSON": 1, "data": 2}',
  ) as unknown
  const handler = middy()
    .use(invocation())
    .handler((request) => [
      request.source,
      (request.raw as { source: string }).source,
      (request.data as { source: string }).source,
      Object.keys(request),
    ])
  expect(await invoke(handler, payload)).toEqual(['invocation', 'x', 'x', ['kind', 'source', 'toJSON']])
})
