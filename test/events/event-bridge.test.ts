// Events of EventBridge: eventBridge(), cases E12 to E17.
import middy from '@middy/core'
import { EventBridgeRequest, InvalidEventError, eventBridge, validate } from 'clearskies-middy'
import { eventBridgeEvent, invoke, kinesisEvent, scheduledEvent, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { failureOf } from '../support/failure-of.ts'

const placed = eventBridgeEvent({ detailType: 'Order Placed', detail: { order: 12, list: [1] }, id: '6a7e' })

/** The request that a handler has got. */
async function requestOf(event: unknown): Promise<EventBridgeRequest> {
  let got: EventBridgeRequest | undefined
  const handler = middy()
    .use(eventBridge())
    .handler((request) => {
      got = request
    })
  await invoke(handler, event)
  if (got === undefined) throw new Error('There was no call')
  return got
}

describe('eventBridge(): an event as a request', () => {
  it('E13: has what the event tells; eventSource is its source', async () => {
    const request = await requestOf(placed)
    expect(request).toBeInstanceOf(EventBridgeRequest)
    const { kind, source, eventSource, detailType, id, account, region, resources, replayName } = request
    expect([kind, source, eventSource, detailType, id]).toEqual([
      'event',
      'event-bridge',
      'shop.orders',
      'Order Placed',
      '6a7e',
    ])
    expect([account, region, resources, replayName]).toEqual(['123456789012', 'eu-central-1', [], undefined])
    expect([request.occurredAt, request.data]).toEqual([new Date(1_773_100_000_000), placed.detail])
    expect(request.lambdaContext.awsRequestId).toBeTypeOf('string')
  })

  it('E13: a replay has its name, and what is null is absent', async () => {
    expect((await requestOf({ ...placed, 'replay-name': 'july' })).replayName).toBe('july')
    const bare = await requestOf({ ...placed, resources: null, 'replay-name': null, detail: null })
    expect([bare.resources, bare.replayName, bare.data]).toEqual([[], undefined, undefined])
  })

  it.each<[unknown, unknown]>([
    ['{}', {}],
    ['\n{}\n', {}],
    ['{"order":12}', { order: 12 }],
    ['7', 7],
    ['null', null],
    ['', ''],
    ['plain text', 'plain text'],
    ['{"broken":', '{"broken":'],
    [0, 0],
    [false, false],
    [[1], [1]],
  ])('E12: a detail of %j is the data %j', async (detail, data) => {
    expect((await requestOf({ ...placed, detail })).data).toEqual(data)
  })

  it.each(['rule', 'scheduler'] as const)(
    'E14: the event of a schedule, called by a %s, has an empty object as data',
    async (by) => {
      const handler = middy()
        .use(eventBridge<{ 'Scheduled Event': { readonly order?: number } }>())
        .handler(({ data: { order }, eventSource }) => [order ?? 'none', eventSource])
      const source = by === 'rule' ? 'aws.events' : 'aws.scheduler'
      expect(await invoke(handler, scheduledEvent({ by }))).toEqual(['none', source])
    },
  )

  it('the event is not changed by what a handler does to the data', async () => {
    const event = structuredClone(placed)
    const handler = middy()
      .use(eventBridge<{ 'Order Placed': { list: number[] } }>())
      .handler(({ data, raw }) => {
        data.list.push(2)
        return raw
      })
    expect(await invoke(handler, event)).toEqual(placed)
    expect(event).toEqual(placed)
  })

  it('a schema for the data narrows it, and what does not fit fails the invocation', async () => {
    const handler = middy()
      .use(eventBridge())
      .use(validate({ data: z.object({ order: z.number() }) }))
      .handler(({ data, detailType }) => `${detailType} ${data.order + 1}`)
    expect(await invoke(handler, placed)).toBe('Order Placed 13')
    const failure = await failureOf(invoke(handler, { ...placed, detail: { order: 'secret' } }))
    expect(failure).toHaveProperty('name', 'ValidationError')
    expect(String(failure)).not.toContain('secret')
  })
})

describe('eventBridge(): the answer', () => {
  it.each([{ statusCode: 404 }, { batchItemFailures: [] }, 'text', 0, null, [1]])(
    'E15: %j is answered as it is',
    async (value) => {
      const handler = middy()
        .use(eventBridge())
        .handler(() => value)
      expect(await invoke(handler, placed)).toEqual(value)
    },
  )

  it('E16: an error rejects as it is, with its name', async () => {
    class OrderError extends Error {
      override name = 'OrderError'
    }
    const error = new OrderError('no')
    const handler = middy()
      .use(eventBridge())
      .handler(() => Promise.reject(error))
    expect(await failureOf(invoke(handler, placed))).toBe(error)
  })

  it.each([
    ['a list of records of a queue', sqsEvent([{ body: 1 }]).Records, 'sqs()'],
    ['a list of records of a stream', kinesisEvent([{ data: 1 }]).Records, 'kinesis()'],
    ['an event of a queue', sqsEvent([{ body: 1 }]), 'sqs()'],
    ['what a schedule sends of its own input', { order: 12 }, 'invocation()'],
  ])('E17: %s is refused with the name of its normalizer', async (_, event, normalizer) => {
    const failure = await failureOf(
      invoke(
        middy()
          .use(eventBridge())
          .handler(() => 1),
        event,
      ),
    )
    expect(failure).toBeInstanceOf(InvalidEventError)
    expect(String(failure)).toContain(normalizer)
    expect(failure).toMatchObject({
      message: expect.stringMatching(/^eventBridge\(\)/) as string,
      expected: [expect.stringMatching(/EventBridge/) as string],
    })
  })
})
