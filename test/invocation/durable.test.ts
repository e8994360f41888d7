// Durable executions, with AWS's own SDK and Middy's mode for it.
import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import {
  type DurableContext,
  DurableExecutionInvocationInputWithClient,
  type Operation,
  OperationStatus,
  OperationType,
} from '@aws/durable-execution-sdk-js'
import middy from '@middy/core'
import { executionModeDurableContext } from '@middy/core/executionModeDurableContext'
import {
  type SqsRequest,
  backends,
  currentInvocation,
  eachRecord,
  invocation,
  model,
  sqs,
} from 'clearskies-middy'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { type AnyHandler, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'

/** The service's part: it remembers what is told, and gives it back with each checkpoint. */
class Execution {
  readonly operations: Operation[] = []

  constructor(input: unknown) {
    this.operations.push({
      Id: 'execution',
      Type: OperationType.EXECUTION,
      Status: OperationStatus.STARTED,
      StartTimestamp: new Date(),
      ExecutionDetails: { InputPayload: JSON.stringify(input) },
    })
  }

  /** Runs the function once, as Lambda does at first and again after each pause. */
  async invoke(handler: AnyHandler, timeout = 30_000): Promise<Record<string, unknown>> {
    const { operations } = this
    const client = {
      checkpoint: ({ Updates = [] }: { Updates?: readonly Record<string, unknown>[] }) => {
        for (const update of Updates) this.#update(update)
        return Promise.resolve({ CheckpointToken: 't', NewExecutionState: { Operations: operations } })
      },
      getExecutionState: () => Promise.resolve({ Operations: operations }),
    }
    const input = {
      DurableExecutionArn:
        'arn:aws:lambda:eu-central-1:123456789012:function:shop:$LATEST/durable-execution/a/b',
      CheckpointToken: 't',
      InitialExecutionState: { Operations: [...operations] },
    }
    const event = new DurableExecutionInvocationInputWithClient(input, client as never)
    return (await handler(event, lambdaContext({ timeout }))) as Record<string, unknown>
  }

  #update({ Id, Action, Type, SubType, Payload, Error, ParentId, Name }: Record<string, unknown>): void {
    const done = { SUCCEED: 'SUCCEEDED', FAIL: 'FAILED' }[String(Action)]
    const known = this.operations.find((operation) => operation.Id === Id)
    const operation = (known ?? { Id, Type, SubType, ParentId, Name, StartTimestamp: new Date() }) as Record<
      string,
      unknown
    >
    operation['Status'] = done ?? 'STARTED'
    if (Type === 'STEP') operation['StepDetails'] = { Result: Payload, Error, Attempt: 1 }
    if (Type === 'CONTEXT') operation['ContextDetails'] = { Result: Payload, Error }
    if (Type === 'WAIT') operation['WaitDetails'] = { ScheduledEndTimestamp: new Date(Date.now() + 60_000) }
    if (known === undefined) this.operations.push(operation as never)
  }

  /** What waited has waited. */
  wake(): void {
    for (const operation of this.operations as { Type?: unknown; Status?: unknown }[])
      if (operation.Type === 'WAIT') operation.Status = 'SUCCEEDED'
  }
}

/** A queue that takes a message when it is told to. */
function openQueue() {
  const gate = Promise.withResolvers<undefined>()
  const sent: unknown[] = []
  const client = {
    async send({ input: { Entries = [] } }: SendMessageBatchCommand) {
      await gate.promise
      sent.push(...Entries.map(({ MessageBody }) => MessageBody))
      return { Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id })) }
    },
  }
  const name = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders'
  const queue = new SqsBackend(model({ name, schema: z.object({ n: z.number() }) }), { client })
  return { queue, sent, open: () => gate.resolve(undefined) }
}

type Work = (context: DurableContext & { backends: { q: ReturnType<typeof openQueue>['queue'] } }) => unknown

function durable(work: Work) {
  const { queue, sent, open } = openQueue()
  const handler = middy({ executionMode: executionModeDurableContext })
    .use(invocation())
    .use(backends({ q: queue }))
    .handler(async (_, context) => work(context as never)) as unknown as AnyHandler
  return { handler, sent, open }
}

const unawaited = 'A message was sent that nobody awaits'

describe('a durable execution', () => {
  it('R14: sends in steps that are awaited arrive once, over a pause', async () => {
    const { handler, sent, open } = durable(async (context) => {
      await context.step('first', () => context.backends.q.create({ n: 1 }))
      await context.wait('pause', { seconds: 1 })
      await context.step('second', async () => {
        await Promise.all([context.backends.q.create({ n: 2 }), context.backends.q.create({ n: 3 })])
      })
      return 'done'
    })
    open()
    const execution = new Execution({})
    expect(await execution.invoke(handler)).toMatchObject({ Status: 'PENDING' })
    execution.wake()
    expect(await execution.invoke(handler)).toMatchObject({ Status: 'SUCCEEDED', Result: '"done"' })
    expect(sent).toEqual(['{"n":1}', '{"n":2}', '{"n":3}'])
  })

  it.each<[string, Work]>([
    [
      'a pause',
      async (context) => {
        void context.backends.q.create({ n: 1 })
        await context.wait('pause', { seconds: 1 })
      },
    ],
    [
      'a step',
      async (context) => {
        void context.backends.q.createMany([{ n: 1 }, { n: 2 }])
        await context.step('next', () => Promise.resolve(1))
      },
    ],
    [
      'a pause of a child',
      (context) =>
        context.runInChildContext('child', async (child) => {
          void context.backends.q.create({ n: 1 })
          await child.wait('pause', { seconds: 1 })
        }),
    ],
    [
      'the end of a child',
      (context) =>
        context.runInChildContext('child', () => Promise.resolve(void context.backends.q.create({ n: 1 }))),
    ],
    [
      'the end of a step that is not tried again',
      (context) =>
        context.step('step', () => Promise.resolve(void context.backends.q.create({ n: 1 })), {
          retryStrategy: () => ({ shouldRetry: false }),
        }),
    ],
    [
      'a callback',
      async (context) => {
        void context.backends.q.send({ n: 1 })
        await context.createCallback('answer')
      },
    ],
  ])('R14: an unawaited send in front of %s is an error that says so', async (_, work) => {
    const { handler, open } = durable(work)
    const invoked = new Execution({}).invoke(handler)
    open()
    const answer = await invoked
    expect(answer['Status']).toBe('FAILED')
    expect(JSON.stringify(answer['Error'])).toContain(unawaited)
  })

  it('R14: an unawaited send arrives before an execution ends that pauses no more', async () => {
    const { handler, sent, open } = durable((context) => {
      void context.backends.q.create({ n: 1 })
      return 'done'
    })
    const invoked = new Execution({}).invoke(handler)
    open()
    expect(await invoked).toMatchObject({ Status: 'SUCCEEDED' })
    expect(sent).toEqual(['{"n":1}'])
  })

  it('R14: data, backends, names and results pass through steps and children unchanged', async () => {
    const { handler } = durable(async (context) => {
      const names: unknown[] = []
      const step = await context.step(async (step) => {
        names.push(typeof step.logger)
        return Promise.resolve({ a: 1 })
      })
      const child = await context.runInChildContext('child', (child) =>
        child.step('in', () => Promise.resolve([2])),
      )
      const all = await context.map('all', [1, 2], (_, item) => Promise.resolve(item * 2))
      const both = await context.parallel('both', [() => Promise.resolve('x'), () => Promise.resolve('y')])
      return { step, child, all: all.getResults(), both: both.getResults(), names }
    })
    const { Status, Result } = await new Execution({ n: 7 }).invoke(handler)
    expect([Status, JSON.parse(String(Result))]).toEqual([
      'SUCCEEDED',
      { step: { a: 1 }, child: [2], all: [2, 4], both: ['x', 'y'], names: ['object'] },
    ])
  })

  it('R13: has the deadline and the id of its Lambda invocation', async () => {
    let seen: ReturnType<typeof currentInvocation>
    const { handler } = durable(() => void (seen = currentInvocation()))
    await new Execution({}).invoke(handler, 5000)
    expect((seen?.deadline ?? Infinity) - Date.now()).toBeLessThanOrEqual(5000)
    expect(seen?.requestId).toMatch(/^[\da-f-]{36}$/)
  })

  it('R13: gives up a record that hangs, before the function is', async () => {
    let signal: AbortSignal | undefined
    const handler = middy({ executionMode: executionModeDurableContext })
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(
          (request) => {
            if (request.id === 'a') return 'done'
            signal = request.signal
            return new Promise(() => undefined)
          },
          { logger: new RecordingLogger() },
        ) as never,
      ) as unknown as AnyHandler
    const event = sqsEvent(['a', 'b'].map((messageId) => ({ body: 1, messageId })))
    const { Status, Result } = await new Execution(event).invoke(handler, 800)
    expect([Status, JSON.parse(String(Result))]).toEqual([
      'SUCCEEDED',
      { batchItemFailures: [{ itemIdentifier: 'b' }] },
    ])
    expect(signal?.aborted).toBe(true)
  })

  it('R4: each record has a context of its own, whose operations are those of the execution', async () => {
    const seen: unknown[] = []
    const work = middy(async (request: SqsRequest, context: unknown) => {
      const own = context as DurableContext & Record<string, unknown>
      const step = await own.step(`step ${request.id}`, () => Promise.resolve(`${request.id} in a step`))
      const child = await own.runInChildContext(`child ${request.id}`, (inner) =>
        inner.step('in', () => Promise.resolve(request.id)),
      )
      seen.push([own['tenant'], step, child, own['left'], own['shared'], own.lambdaContext.awsRequestId])
      own['left'] = request.id
      if (request.id === 'b') throw new Error('b fails')
    }).before(({ event, context }) => void Object.assign(context, { tenant: event.id }))
    let requestId: unknown
    const handler = middy({ executionMode: executionModeDurableContext })
      .use(sqs({ logger: new RecordingLogger() }))
      .before(({ context }) => {
        requestId = (context as unknown as DurableContext).lambdaContext.awsRequestId
        Object.assign(context, { shared: 'all' })
      })
      .handler(
        // Operations of one execution have an order that must be the same when it runs again.
        eachRecord(work, { concurrency: 1, logger: new RecordingLogger() }) as never,
      ) as unknown as AnyHandler
    const ids = ['a', 'b', 'c']
    const event = sqsEvent(ids.map((messageId) => ({ body: 1, messageId })))
    const execution = new Execution(event)
    const { Status, Result } = await execution.invoke(handler)
    expect([Status, JSON.parse(String(Result))]).toEqual([
      'SUCCEEDED',
      { batchItemFailures: [{ itemIdentifier: 'b' }] },
    ])
    expect(seen).toEqual(ids.map((id) => [id, `${id} in a step`, id, undefined, 'all', requestId]))
  })

  it('R4: records that run beside each other share no context', async () => {
    const seen: unknown[] = []
    const work = middy(async ({ id }: SqsRequest, context: unknown) => {
      const own = context as DurableContext & Record<string, unknown>
      const child = await own.runInChildContext(id, (inner) => inner.step('in', () => Promise.resolve(id)))
      seen.push([id, own['tenant'], child])
    }).before(({ event, context }) => void Object.assign(context, { tenant: event.id }))
    const handler = middy({ executionMode: executionModeDurableContext })
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(eachRecord(work, { logger: new RecordingLogger() }) as never) as unknown as AnyHandler
    const ids = ['a', 'b', 'c', 'd']
    const { Status } = await new Execution(sqsEvent(ids.map((messageId) => ({ body: 1, messageId })))).invoke(
      handler,
    )
    expect([Status, seen.toSorted()]).toEqual(['SUCCEEDED', ids.map((id) => [id, id, id])])
  })
})
