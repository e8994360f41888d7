import { GetQueueAttributesCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { type PollInvocation, type PollOptions, poll } from 'clearskies-middy/testing'
import type { SQSEvent } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { useSqs } from '../support/engines.ts'

const sqs = useSqs()
let queues = 0

/** Sends messages, and polls until a handler has seen as many records as expected. */
async function pollUntil(
  records: number,
  bodies: readonly string[],
  answer: (event: SQSEvent) => unknown,
  options: PollOptions = {},
  attributes: Record<string, string> = { VisibilityTimeout: '30' },
) {
  const url = sqs.createQueue(`polled-${++queues}`, attributes)
  const Entries = bodies.map((MessageBody, index) => ({
    Id: String(index),
    MessageBody,
    MessageAttributes: { n: { DataType: 'Number', StringValue: String(index) } },
  }))
  await sqs.client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }))
  const events: SQSEvent[] = []
  const invocations: PollInvocation[] = []
  const enough = Promise.withResolvers<undefined>()
  let seen = 0
  const poller = poll(
    url,
    (event: SQSEvent) => {
      events.push(event)
      seen += event.Records.length
      return answer(event)
    },
    {
      client: sqs.client,
      waitTime: 1,
      ...options,
      onInvocation(invocation) {
        invocations.push(invocation)
        if (seen >= records) enough.resolve(undefined)
      },
    },
  )
  await enough.promise
  await poller.stop()
  const { Attributes = {} } = await sqs.client.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  )
  return {
    events,
    invocations,
    left:
      Number(Attributes['ApproximateNumberOfMessages']) +
      Number(Attributes['ApproximateNumberOfMessagesNotVisible']),
  }
}

describe('poll()', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['{}', {}],
    ['an empty list', { batchItemFailures: [] }],
    ['null for a list', { batchItemFailures: null }],
  ])('deletes everything when the answer is %s', async (_, answer) => {
    const { events, left } = await pollUntil(2, ['a', 'b'], () => answer)
    expect(left).toBe(0)
    expect(events[0]?.Records[0]).toMatchObject({
      body: 'a',
      eventSource: 'aws:sqs',
      eventSourceARN: expect.stringMatching(/^arn:aws:sqs:/) as string,
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: { n: { stringValue: '0', dataType: 'Number' } },
    })
  })

  it('leaves what is listed', async () => {
    const { left } = await pollUntil(2, ['a', 'b'], ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => body === 'b').map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }))
    expect(left).toBe(1)
  })

  it.each([
    ['an empty id', [{ itemIdentifier: '' }]],
    ['a null id', [{ itemIdentifier: null }]],
    ['a wrong key', [{ id: 'x' }]],
    ['an unknown id', [{ itemIdentifier: 'x' }]],
    ['no object', [{}]],
  ])('leaves everything for %s', async (_, batchItemFailures) => {
    const { left, invocations } = await pollUntil(2, ['a', 'b'], () => ({ batchItemFailures }))
    expect(left).toBe(2)
    expect(invocations[0]?.failed).toEqual(invocations[0]?.messageIds)
  })

  it('leaves everything when the handler throws', async () => {
    const { left, invocations } = await pollUntil(2, ['a', 'b'], () => Promise.reject(new Error('no')))
    expect(left).toBe(2)
    expect(String(invocations[0]?.error)).toBe('Error: no')
  })

  it('deletes whatever was answered where the mapping does not report failures', async () => {
    const { left } = await pollUntil(
      1,
      ['a'],
      ({ Records }) => ({ batchItemFailures: [{ itemIdentifier: Records[0]?.messageId }] }),
      { reportBatchItemFailures: false },
    )
    expect(left).toBe(0)
  })

  it('makes a batch of several receives', async () => {
    const { events } = await pollUntil(
      10,
      Array.from({ length: 10 }, (_, index) => String(index)),
      () => ({}),
      { batchSize: 4 },
    )
    expect(events.map(({ Records }) => Records.length)).toEqual([4, 4, 2])
  })

  it('goes on after errors of SQS', async () => {
    const errors: unknown[] = []
    const told = Promise.withResolvers<undefined>()
    const poller = poll(`${sqs.server.address}/000000000000/none`, () => ({}), {
      client: sqs.client,
      onError(error) {
        errors.push(error)
        if (errors.length === 2) told.resolve(undefined)
      },
    })
    await told.promise
    await poller.stop()
    expect(String(errors[0])).toContain('QueueDoesNotExist')
  })
})
