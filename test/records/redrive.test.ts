// The catalogue of record cases, C12 to C15 and C38: records that shall come later, or never again. Against a real queue.
import {
  ChangeMessageVisibilityBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs'
import type { Context } from 'aws-lambda'
import { PermanentFailureError, RetryLaterError } from 'clearskies-middy/errors'
import type { EachRecordOptions } from 'clearskies-middy/normalizers/each-record'
import { exponentialBackoff } from 'clearskies-middy/normalizers/backoff'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { lambdaContext } from 'clearskies-middy/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { useSqs } from '../support/engines.ts'
import { printed, received, told, work } from '../support/sqs-work.ts'

const engine = useSqs()
const longArn = `arn:aws:sqs:eu-central-1:000000000000:${'q'.repeat(28)}`
let queues = 0
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

/** Works records of a queue of their own, told by their bodies; gives what was listed, by body, and what SQS was told. */
async function redrive(
  bodies: readonly string[],
  fn: (request: SqsRequest) => unknown,
  {
    suffix = '',
    context,
    change,
    ownClient = true,
    ...options
  }: EachRecordOptions & {
    readonly suffix?: string
    readonly context?: Context
    readonly ownClient?: boolean
    readonly change?: (event: Awaited<ReturnType<typeof received>>) => unknown
  } = {},
) {
  const name = `redrive-${++queues}${suffix}`
  const messages = bodies.map((body) => ({
    body,
    ...(suffix === '.fifo' && { groupId: body.charAt(0).toUpperCase() }),
  }))
  const queue = await received(engine, name, messages)
  await change?.(queue)
  const sent: object[] = []
  const client = {
    send(command: ChangeMessageVisibilityBatchCommand) {
      sent.push(command)
      return engine.client.send(command)
    },
  }
  const { failed, called, logger } = await work(queue.event, {
    fn,
    options: { ...(ownClient && { client }), ...options },
    sqsOptions: { body: 'text' },
    ...(context && { context }),
  })
  const bodyOf = (id: string) => bodies[queue.ids.indexOf(id)]
  const visibilities = sent
    .filter((command) => command instanceof ChangeMessageVisibilityBatchCommand)
    .map(({ input }) => (input.Entries ?? []).map(({ VisibilityTimeout }) => VisibilityTimeout))
  const entries = sent.flatMap((command) =>
    command instanceof SendMessageBatchCommand ? (command.input.Entries ?? []) : [],
  )
  /** In how many seconds a message comes again, as the queue itself sees it. */
  const dueIn = (body: string) => {
    const { inflight } = engine.server.inspectQueue(name)!.messages
    const found = inflight.find(({ message }) => message.body === body)
    return found && Math.round((found.visibilityDeadline - Date.now()) / 1000)
  }
  return {
    ...queue,
    failed: failed.map(bodyOf),
    called: called.map(bodyOf),
    logger,
    visibilities,
    entries,
    dueIn,
  }
}

/** Messages that can be received now. */
async function visible(QueueUrl: string) {
  const { Messages = [] } = await engine.client.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    }),
  )
  return Messages
}

const laterIn =
  (delaySeconds: RetryLaterError['delaySeconds'], ...bodies: readonly string[]) =>
  (request: SqsRequest): void => {
    if (bodies.includes(request.text())) throw new RetryLaterError({ delaySeconds })
  }

describe('retry later', () => {
  it('sqs C12 changes the visibility of the record, and keeps it listed', async () => {
    const { failed, called, visibilities, dueIn, logger } = await redrive(['a', 'b', 'c'], laterIn(120, 'b'))
    expect(logger.warnings).toEqual([])
    expect([failed, called, visibilities]).toEqual([['b'], ['a', 'b', 'c'], [[120]]])
    expect(['a', 'b', 'c'].map(dueIn)).toEqual([600, 120, 600])
  })

  it('sqs C12 takes the delay from how often the message has been received', async () => {
    const { failed, visibilities } = await redrive(
      ['a', 'b'],
      laterIn(exponentialBackoff({ base: 7 }), 'b'),
      {
        change: ({ event }) => {
          event.Records[1]!.attributes.ApproximateReceiveCount = '4'
        },
      },
    )
    expect([failed, visibilities]).toEqual([['b'], [[56]]])
  })

  it('sqs C13 a visibility that cannot be changed leaves the record listed, and is told', async () => {
    const { failed, logger, dueIn } = await redrive(['a', 'b', 'c'], laterIn(120, 'b', 'c'), {
      change: ({ event }) => {
        event.Records[1]!.receiptHandle = 'expired'
      },
    })
    expect(failed).toEqual(['b', 'c'])
    expect(logger.warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^The visibility of message [-0-9a-f]{36} was not changed: ReceiptHandleIsInvalid$/,
      ),
    ])
    expect(['b', 'c'].map(dueIn)).toEqual([600, 120])
  })

  it('sqs C13 a call that fails as a whole leaves all its records listed, and is told', async () => {
    const { failed, logger } = await redrive(['a', 'b', 'c'], laterIn(120, 'b', 'c'), {
      change: ({ event }) => {
        engine.server.deleteQueue(event.Records[0]!.eventSourceARN.split(':').at(-1)!)
      },
    })
    expect(failed).toEqual(['b', 'c'])
    expect(told(logger).at(-1)).toBe('The visibility of 2 messages was not changed')
    expect(logger.warnings).toHaveLength(1)
  })

  it('sqs C13 a record that names no queue stays listed, and the batch does not fail for it', async () => {
    const { failed, logger, visibilities, ids } = await redrive(['a', 'b', 'c'], laterIn(120, 'b', 'c'), {
      change: ({ event }) => {
        Object.assign(event.Records[1]!, { eventSourceARN: undefined })
      },
    })
    expect([failed, visibilities]).toEqual([['b', 'c'], [[120]]])
    expect(logger.warnings.map(({ message }) => message)).toEqual([
      `Message ${ids[1]} names no queue to give it again later`,
    ])
    expect(logger.errors).toEqual([])
  })

  it.each([
    [NaN, 'Message %s has a delay that is no number'],
    [Infinity, 'Message %s has a delay that is no number'],
    [
      () => {
        throw new Error('no delay')
      },
      'The delay of message %s could not be computed',
    ],
  ])('sqs C13 a delay that is none leaves the record listed, and is told: %s', async (delay, message) => {
    const { failed, logger, visibilities, ids } = await redrive(['a', 'b'], laterIn(delay, 'b'))
    expect([failed, visibilities]).toEqual([['b'], []])
    expect(logger.warnings.map((warning) => warning.message)).toEqual([message.replace('%s', ids[1]!)])
  })

  it("sqs C13 without a client, the environment's endpoint is called", async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', engine.server.address)
    const deadLetter = { queueUrl: engine.createQueue(`dead-${++queues}`) }
    const { failed, dueIn } = await redrive(
      ['a', 'b', 'c'],
      (request) => {
        laterIn(120, 'b')(request)
        never('c')(request)
      },
      { deadLetter, ownClient: false },
    )
    expect([failed, dueIn('b'), (await visible(deadLetter.queueUrl)).map(({ Body }) => Body)]).toEqual([
      ['b'],
      120,
      ['c'],
    ])
  })

  it('sqs C13 more than ten records take several calls', async () => {
    const bodies = Array.from({ length: 23 }, (_, index) => `m${index}`)
    const { failed, visibilities, dueIn } = await redrive(bodies, laterIn(120, ...bodies.slice(1)))
    expect(failed).toEqual(bodies.slice(1))
    expect(visibilities.map(({ length }) => length)).toEqual([10, 10, 2])
    expect(bodies.map(dueIn)).toEqual([600, ...new Array<number>(22).fill(120)])
  })

  it('sqs C14 a delay of 0 means at once', async () => {
    const { url, failed, visibilities } = await redrive(['a', 'b', 'c'], laterIn(0, 'b'))
    expect([failed, visibilities]).toEqual([['b'], [[0]]])
    expect((await visible(url)).map(({ Body }) => Body)).toEqual(['b'])
  })

  it('sqs C14 a delay ends twelve hours after the receipt at the latest, which may be a batch window earlier', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    const { failed, visibilities, dueIn } = await redrive(
      ['a', 'b', 'c'],
      (request) => {
        if (request.text() === 'b') vi.setSystemTime(Date.now() + 500_500)
        laterIn(99_999, 'b')(request)
        laterIn(-5, 'c')(request)
      },
      { context: lambdaContext({ timeout: 900_000 }) },
    )
    expect([failed, visibilities, dueIn('b')]).toEqual([['b', 'c'], [[42_399, 0]], 42_399])
  })

  it.each([
    ['no number', () => NaN],
    ['infinite', () => Infinity],
    ['impossible to compute', () => failWith(new Error('no delay'))],
  ])('sqs C14 a delay that is %s leaves the record to the queue, listed', async (_, delay) => {
    const { failed, visibilities, logger } = await redrive(['a', 'b'], laterIn(delay, 'b'))
    expect([failed, visibilities, logger.warnings.length]).toEqual([['b'], [], 1])
  })

  it('sqs C38 on a FIFO queue only the failed record is delayed, and its followers are listed', async () => {
    const { failed, called, visibilities, dueIn } = await redrive(
      ['a1', 'b1', 'a2', 'b2', 'a3'],
      laterIn(120, 'a1'),
      { suffix: '.fifo' },
    )
    expect([failed, visibilities]).toEqual([['a1', 'a2', 'a3'], [[120]]])
    expect(called.toSorted()).toEqual(['a1', 'b1', 'b2'])
    expect([dueIn('a1'), dueIn('b1')]).toEqual([120, 600])
  })
})

function failWith(error: unknown): never {
  throw error
}

const never =
  (...bodies: readonly string[]) =>
  (request: SqsRequest): void => {
    if (bodies.includes(request.text())) throw new PermanentFailureError()
  }

describe('permanent failures', () => {
  it('sqs C15 a record goes to the dead-letter queue as it came, with the reason, and is not listed', async () => {
    const deadLetter = { queueUrl: engine.createQueue(`dead-${++queues}`) }
    const { failed, called, ids, event } = await redrive(['a', 'b', 'c'], never('b'), {
      deadLetter,
      change: ({ event }) => {
        event.Records[1]!.messageAttributes = {
          tenant: { dataType: 'String', stringValue: 'x', stringListValues: [], binaryListValues: [] },
          size: { dataType: 'Number.int', stringValue: '5', stringListValues: [], binaryListValues: [] },
          bytes: { dataType: 'Binary', binaryValue: 'AQI=', stringListValues: [], binaryListValues: [] },
        }
      },
    })
    expect([failed, called]).toEqual([[], ['a', 'b', 'c']])
    const [message, ...others] = await visible(deadLetter.queueUrl)
    expect(others).toEqual([])
    expect(message?.Body).toBe('b')
    expect(message?.MessageAttributes).toMatchObject({
      tenant: { DataType: 'String', StringValue: 'x' },
      size: { DataType: 'Number.int', StringValue: '5' },
      'failed-message-id': { DataType: 'String', StringValue: ids[1] },
      'failed-in-queue': { DataType: 'String', StringValue: event.Records[1]!.eventSourceARN },
      failure: { DataType: 'String', StringValue: 'PermanentFailureError' },
    })
    expect(message?.Attributes).not.toHaveProperty('MessageGroupId')
    expect([...(message?.MessageAttributes?.['bytes']?.BinaryValue ?? [])]).toEqual([1, 2])
  })

  it("sqs C15 the sender's ten attributes leave no room for a reason, and all arrive", async () => {
    const deadLetter = { queueUrl: engine.createQueue(`dead-${++queues}`) }
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`)
    const { failed } = await redrive(['a'], never('a'), {
      deadLetter,
      change: ({ event }) => {
        event.Records[0]!.messageAttributes = Object.fromEntries(
          names.map((name) => [
            name,
            { dataType: 'String', stringValue: name, stringListValues: [], binaryListValues: [] },
          ]),
        )
      },
    })
    const [message] = await visible(deadLetter.queueUrl)
    expect([failed, Object.keys(message?.MessageAttributes ?? {}).toSorted()]).toEqual([[], names])
  })

  it("sqs C15 a reason never takes the place of the sender's attribute of that name, and says nothing if it is unknown", async () => {
    const deadLetter = { queueUrl: engine.createQueue(`dead-${++queues}`) }
    const { ids } = await redrive(['a'], never('a'), {
      deadLetter,
      change: ({ event }) => {
        Object.assign(event.Records[0]!, {
          eventSourceARN: '',
          messageAttributes: { failure: { dataType: 'String', stringValue: 'theirs' } },
        })
      },
    })
    const [message] = await visible(deadLetter.queueUrl)
    expect(message?.MessageAttributes).toEqual({
      failure: { DataType: 'String', StringValue: 'theirs' },
      'failed-message-id': { DataType: 'String', StringValue: ids[0] },
    })
  })

  it.each([
    ['to the last byte', 1_048_576 - 180, ['failed-in-queue', 'failed-message-id', 'failure']],
    ['but for the reasons', 1_048_576, []],
  ])('sqs C15 a record that fits %s arrives whole', async (_, size, reasons) => {
    const deadLetter = {
      queueUrl: engine.createQueue(`dead-${++queues}`, { MaximumMessageSize: '1048576' }),
    }
    const { failed, event, entries } = await redrive(
      ['a'],
      () => Promise.reject(new PermanentFailureError('never')),
      {
        deadLetter,
        change: ({ event }) => {
          // The reasons take up 180 bytes: their names, types and values.
          Object.assign(event.Records[0]!, { body: 'x'.repeat(size), eventSourceARN: longArn })
        },
      },
    )
    const [message] = await visible(deadLetter.queueUrl)
    expect([failed, message?.Body?.length]).toEqual([[], event.Records[0]!.body.length])
    expect(Object.keys(message?.MessageAttributes ?? {}).toSorted()).toEqual(reasons)
    const keys = reasons.length > 0 ? ['MessageBody', 'MessageAttributes', 'Id'] : ['MessageBody', 'Id']
    expect(entries.map((entry) => Object.keys(entry))).toEqual([keys])
  })

  it('sqs C15 a record of a FIFO queue keeps its group in a FIFO dead-letter queue', async () => {
    const deadLetter = { queueUrl: engine.createQueue(`dead-${++queues}.fifo`, { FifoQueue: 'true' }) }
    const { failed, called, ids } = await redrive(['a1', 'a2', 'a3'], never('a2'), {
      deadLetter,
      suffix: '.fifo',
    })
    expect([failed, called]).toEqual([[], ['a1', 'a2', 'a3']])
    expect((await visible(deadLetter.queueUrl)).map(({ Body, Attributes }) => [Body, Attributes])).toEqual([
      ['a2', expect.objectContaining({ MessageGroupId: 'A', MessageDeduplicationId: ids[1] })],
    ])
  })

  it('sqs C15 a record that does not reach the dead-letter queue is listed', async () => {
    const deadLetter = { queueUrl: `${engine.server.address}/000000000000/nowhere` }
    const { failed, logger, ids } = await redrive(['a', 'hunter2', 'c'], never('hunter2'), { deadLetter })
    expect(failed).toEqual(['hunter2'])
    expect(told(logger)).toEqual([
      `Record ${ids[1]} failed`,
      `Message ${ids[1]} did not reach the dead-letter queue`,
    ])
    expect(printed(logger)).not.toContain('hunter2')
  })

  it('sqs C15 a record whose way to the dead-letter queue breaks is sent there again', async () => {
    const deadLetter = { queueUrl: engine.createQueue(`dead-${++queues}`) }
    let calls = 0
    const { failed } = await redrive(['a', 'b'], never('b'), {
      deadLetter,
      client: {
        send(command: SendMessageBatchCommand) {
          if (++calls === 1) return Promise.reject(Object.assign(new Error('x'), { code: 'ECONNRESET' }))
          return engine.client.send(command)
        },
      },
    })
    expect([failed, calls, (await visible(deadLetter.queueUrl)).map(({ Body }) => Body)]).toEqual([
      [],
      2,
      ['b'],
    ])
  })

  it('sqs C15 a record is not dropped before the dead-letter queue has it', async () => {
    const deadLetter = { queueUrl: engine.createQueue(`dead-${++queues}`) }
    const gate = Promise.withResolvers<undefined>()
    const sending = Promise.withResolvers<undefined>()
    let isOver = false
    const working = redrive(['a', 'b'], never('b'), {
      deadLetter,
      client: {
        async send(command: ReceiveMessageCommand) {
          sending.resolve(undefined)
          await gate.promise
          return engine.client.send(command)
        },
      },
    }).finally(() => {
      isOver = true
    })
    await sending.promise
    await new Promise(setImmediate)
    expect(isOver).toBe(false)
    gate.resolve(undefined)
    expect((await working).failed).toEqual([])
    expect(await visible(deadLetter.queueUrl)).toHaveLength(1)
  })

  it('sqs C15 without a dead-letter queue the record is listed', async () => {
    const { failed, visibilities, logger } = await redrive(['a', 'b', 'c'], never('b'))
    expect([failed, visibilities, logger.warnings]).toEqual([['b'], [], []])
  })
})
