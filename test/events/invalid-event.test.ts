import middy from '@middy/core'
import { InvalidEventError, type Middleware } from 'clearskies-middy'
import { alb } from 'clearskies-middy/normalizers/alb'
import { anyHttp } from 'clearskies-middy/normalizers/any-http'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import {
  albEvent,
  functionUrlEvent,
  httpApiEvent,
  httpApiV1Event,
  invoke,
  restApiEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'

const events = {
  alb: albEvent(),
  'alb-multi-value': albEvent({ multiValue: true }),
  'rest-api': restApiEvent(),
  'http-api': httpApiEvent(),
  'http-api-1.0': httpApiV1Event(),
  'function-url': functionUrlEvent(),
  sqs: sqsEvent([{ body: {} }]),
  direct: { id: 7 },
  null: null,
}

const normalizers: Readonly<
  Record<string, { make: () => Middleware; takes: readonly (keyof typeof events)[] }>
> = {
  alb: { make: alb as never, takes: ['alb', 'alb-multi-value'] },
  restApi: { make: restApi as never, takes: ['rest-api'] },
  httpApi: { make: httpApi as never, takes: ['http-api', 'http-api-1.0', 'function-url'] },
  anyHttp: {
    make: anyHttp as never,
    takes: ['alb', 'alb-multi-value', 'rest-api', 'http-api', 'http-api-1.0', 'function-url'],
  },
  sqs: { make: sqs as never, takes: ['sqs'] },
}

describe.each(Object.entries(normalizers))('%s()', (_, { make, takes }) => {
  it.each(Object.keys(events) as (keyof typeof events)[])('meets an event: %s', async (kind) => {
    let reached = false
    const handler = middy()
      .use(make())
      .handler(() => {
        reached = true
        return { batchItemFailures: [] }
      })
    const outcome = await invoke(handler, events[kind]).catch((error: unknown) => error)
    expect(reached).toBe(takes.includes(kind))
    if (!takes.includes(kind)) expect(outcome).toBeInstanceOf(InvalidEventError)
  })

  it('names what it saw and what it expected', async () => {
    const handler = middy().use(make())
    const { message } = (await invoke(handler, { detail: {}, 'detail-type': 'x', source: 'aws.s3' }).catch(
      (error: unknown) => error,
    )) as Error
    expect(message).toMatch(
      /^\w+\(\) takes .+ and got "EventBridge": use the normalizer of that source, eventBridge\(\)/,
    )
  })
})

it.each([alb, anyHttp, restApi, httpApi])(
  'an error about the event reaches the middlewares in front: %s',
  async (make) => {
    const seen: unknown[] = []
    const handler = middy()
      .use({
        onError: ({ error }) => {
          seen.push(error)
        },
      })
      .use(make() as Middleware)
    await expect(invoke(handler, events.sqs)).rejects.toThrow(InvalidEventError)
    expect(seen).toEqual([expect.any(InvalidEventError)])
  },
)

it('an event that another middleware has replaced is answered by nobody', async () => {
  const handler = middy()
    .use(alb() as Middleware)
    .use({
      before: (request) => {
        request.event = {}
      },
    })
    .handler(() => 'x')
  await expect(invoke(handler, events.alb)).rejects.toThrow('alb() takes its own request and got "another"')
})
