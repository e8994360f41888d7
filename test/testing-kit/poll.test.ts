import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type ReceiveMessageCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs'
import { type PollInvocation, type PollOptions, poll } from 'clearskies-middy/testing'
import type { SQSEvent } from 'aws-lambda'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { useSqs } from '../support/engines.ts'
import { runScript } from '../support/run-script.ts'

const sqs = useSqs()
let queues = 0
afterEach(() => vi.restoreAllMocks())

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
  const count = async (): Promise<number> => {
    const { Attributes = {} } = await sqs.client.send(
      new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    )
    return (
      Number(Attributes['ApproximateNumberOfMessages']) +
      Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
    )
  }
  return { events, invocations, count, left: await count() }
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

  it('R16: deletes nothing when the answer comes behind the timeout, and tells that it has failed', async () => {
    const answer = Promise.withResolvers<unknown>()
    const { left, invocations, count } = await pollUntil(2, ['a', 'b'], () => answer.promise, { timeout: 50 })
    expect(invocations[0]?.failed).toEqual(invocations[0]?.messageIds)
    expect(String(invocations[0]?.error)).toBe('Error: Task timed out after 0.05 seconds')
    answer.resolve({ batchItemFailures: [] })
    expect([left, await count()]).toEqual([2, 2])
  })

  it('R16: an error behind the timeout is nobody’s any more', async () => {
    const late = Promise.withResolvers<undefined>()
    const { invocations } = await pollUntil(1, ['a'], () => late.promise, { timeout: 50 })
    late.reject(new Error('late'))
    expect(String(invocations[0]?.error)).toContain('timed out')
  })

  it('R16: a handler that never settles ends with its timeout, and so does stop()', async () => {
    const { left, invocations } = await pollUntil(1, ['a'], () => new Promise(() => undefined), {
      timeout: 50,
      reportBatchItemFailures: false,
    })
    expect(invocations).toHaveLength(1)
    expect(left).toBe(1)
  })

  it('R16: the message of an invocation that timed out comes again', async () => {
    let attempts = 0
    const { events, invocations, left } = await pollUntil(
      2,
      ['a'],
      () => (attempts++ === 0 ? new Promise(() => undefined) : {}),
      { timeout: 50, visibilityTimeout: 1 },
    )
    expect(invocations.map(({ failed }) => failed.length)).toEqual([1, 0])
    expect(events[1]?.Records[0]?.attributes.ApproximateReceiveCount).toBe('2')
    expect(left).toBe(0)
  })

  it.each<[string, (command: DeleteMessageBatchCommand) => unknown, RegExp]>([
    [
      'are listed as failed',
      ({ input }) => ({
        Successful: [{ Id: input.Entries?.[0]?.Id }],
        Failed: [{ Id: input.Entries?.[1]?.Id, Code: 'InternalError', SenderFault: false }],
      }),
      /^Error: SQS did not delete message [\w-]+, which comes again: InternalError$/,
    ],
    [
      'are of a call that fails',
      () => {
        throw new Error('no connection')
      },
      /^Error: no connection$/,
    ],
  ])('R16: messages whose deletions %s are told and come again', async (_, answer, message) => {
    const errors: unknown[] = []
    const client = {
      async send(command: object, options?: object): Promise<unknown> {
        if (command instanceof DeleteMessageBatchCommand) return Promise.resolve(answer(command))
        return sqs.client.send(command as ReceiveMessageCommand, options)
      },
    }
    const { invocations } = await pollUntil(2, ['a', 'b'], () => ({}), {
      client,
      onError: (error) => errors.push(error),
    })
    const { failed = [], messageIds = [] } = invocations[0] ?? {}
    expect(failed.at(-1)).toBe(messageIds.at(-1))
    expect(errors.map(String)).toEqual([expect.stringMatching(message)])
  })

  it('R16: an onError that throws does not end the poller', async () => {
    const calls: unknown[] = []
    const twice = Promise.withResolvers<undefined>()
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const poller = poll(`${sqs.server.address}/000000000000/none`, () => ({}), {
      client: sqs.client,
      onError(error) {
        if (calls.push(error) === 2) twice.resolve(undefined)
        throw new Error('of the user')
      },
    })
    await twice.promise
    await poller.stop()
  })

  it('R16: without the SDK the poller tells that and ends, and stop() ends', async () => {
    const { stdout, stderr } = runScript(`
      import { registerHooks } from 'node:module'
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier !== '@aws-sdk/client-sqs') return next(specifier, context)
          throw Object.assign(new Error("Cannot find package '@aws-sdk/client-sqs'"), { code: 'ERR_MODULE_NOT_FOUND' })
        },
      })
      const { poll } = await import('clearskies-middy/testing')
      const told = Promise.withResolvers()
      const errors = []
      const poller = poll('http://127.0.0.1:9/1/orders', () => ({}), {
        client: { send: () => ({}) },
        onError(error) { errors.push(error.name); told.resolve() },
      })
      await told.promise
      await new Promise((resolve) => setImmediate(resolve))
      await poller.stop()
      console.log(errors.join())
    `)
    expect([stdout.trim(), stderr]).toEqual(['MissingDependencyError', ''])
  })
})
