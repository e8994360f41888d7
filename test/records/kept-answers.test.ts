// What a batch answers when something besides its records fails, or somebody changes what the normalizer made.
import middy from '@middy/core'
import { currentInvocation, eachRecord, firehose, kinesis, sns, sqs } from 'clearskies-middy'
import { sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { model } from 'clearskies-middy/backends/model'
import {
  firehoseEvent,
  invoke,
  kinesisEvent,
  lambdaContext,
  snsEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const engine = useSqs()
const event = sqsEvent([{ messageId: 'a', body: 1 }, { messageId: 'b', body: 2 }]) // prettier-ignore
const all = { batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }] }

describe('a message that is sent beside the records, and lost', () => {
  const nowhere = () => `${engine.server.address}/000000000000/nowhere`
  const schema = z.object({ n: z.number() })
  const send = (): void => {
    void new SqsBackend(model({ name: nowhere(), schema }), { client: engine.client }).create({ n: 1 })
  }

  it('fails the invocation behind a handler that worked the batch', async () => {
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(() => {
        send()
        return { batchItemFailures: [] }
      })
    await expect(invoke(handler, event)).rejects.toMatchObject({ name: 'SqsSendError' })
  })

  it('is told behind a handler that failed, whose error counts', async () => {
    const logger = new RecordingLogger()
    const failure = new Error('mine')
    const handler = middy()
      .use(sqs({ logger }))
      .handler(() => {
        send()
        throw failure
      })
    expect(await invoke(handler, event)).toEqual(all)
    expect(logger.errors.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['A message was not sent', 'The batch failed']),
    )
    expect(logger.errors.find(({ message }) => message === 'The batch failed')?.details).toBe(failure)
  })

  it('does not keep the answer back where it arrives', async () => {
    const url = engine.createQueue('kept-answers')
    const queue = new SqsBackend(model({ name: url, schema }), { client: engine.client })
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(() => {
        void queue.create({ n: 1 })
        return { batchItemFailures: [{ itemIdentifier: 'b' }] }
      })
    expect(await invoke(handler, event)).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }] })
  })
})

it('the answer to Firehose stands when a middleware behind fails later', async () => {
  const logger = new RecordingLogger()
  const handler = middy()
    .use(firehose({ logger }))
    .use({
      after: () => {
        throw new Error('late')
      },
    })
    .handler(eachRecord(({ data }) => data, { logger }))
  expect(await invoke(handler, firehoseEvent([{ data: 1 }]))).toMatchObject({ records: [{ result: 'Ok' }] })
  expect(logger.errors.map(({ message }) => message)).toEqual(['The batch failed'])
})

it.each([
  ['at once', () => ({ batchItemFailures: [] })],
  ['by failing', () => Promise.reject(new Error('x'))],
])(
  'other records in the place of those that came fail the batch, where the handler answers %s',
  async (_, answer) => {
    const logger = new RecordingLogger()
    const handler = middy()
      .use(sqs({ logger }))
      .use({
        before: ({ event: batch }) => {
          Object.defineProperty(batch, 'Records', { value: [] })
        },
      })
      .handler(answer)
    expect(await invoke(handler, event)).toEqual(all)
  },
)

it('an answer of another middleware to other records than those that came does not count', async () => {
  const handler = middy()
    .use(sqs({ logger: new RecordingLogger() }))
    .use({
      before: ({ event: batch }) => {
        Object.defineProperty(batch, 'Records', { value: [] })
      },
      onError: (request) => {
        request.response = { batchItemFailures: [] } as never
      },
    })
    .handler(() => Promise.reject(new Error('x')))
  expect(await invoke(handler, event)).toEqual(all)
})

it('a batch that is done stays done behind a source that takes no answer, whatever a middleware returns late', async () => {
  const handler = middy()
    .use(sns({ logger: new RecordingLogger() }))
    .after(() => 'late')
    .handler(eachRecord(() => undefined, { logger: new RecordingLogger() }))
  expect(await invoke(handler, snsEvent([{ message: '1' }]))).toBeNull()
})

it('what other middlewares list besides counts, also when the event was changed since', async () => {
  const handler = middy()
    .use(sqs({ logger: new RecordingLogger() }))
    .use({
      after: (request) => {
        request.event = {} as never
        throw new Error('late')
      },
      onError: (request) => {
        request.response = { batchItemFailures: [{ itemIdentifier: 'a' }] } as never
      },
    })
    .handler(eachRecord(() => undefined, { logger: new RecordingLogger() }))
  expect(await invoke(handler, event)).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] })
})

it('records without a source are no direct invocation, and the error says what always sends one', async () => {
  const handler = middy()
    .use(sqs({ logger: new RecordingLogger() }))
    .handler(eachRecord(() => undefined))
  await expect(invoke(handler, [{ body: 'x' }] as never)).rejects.toThrow(
    'sqs() takes aws:sqs and got records without an eventSource, which Lambda and EventBridge Pipes always send',
  )
  await expect(invoke(handler, snsEvent([{ message: 'x' }]) as never)).rejects.not.toThrow(
    'without an eventSource',
  )
})

it('the event of a tumbling window is refused by the name of the normalizer', async () => {
  const handler = middy()
    .use(kinesis({ logger: new RecordingLogger() }))
    .handler(eachRecord(() => undefined))
  await expect(invoke(handler, { ...kinesisEvent([{ data: 1 }]), window: {} })).rejects.toMatchObject({
    name: 'InvalidEventError',
    seen: 'tumbling window',
    expected: ['records without a window'],
    message: expect.stringContaining('kinesis() takes no event of a tumbling window') as string,
  })
})

it('a record that is no JSON is told by its id', async () => {
  const errors: string[] = []
  const handler = middy()
    .use(kinesis({ logger: new RecordingLogger() }))
    .handler(
      eachRecord(({ data }) => data, {
        logger: new RecordingLogger(),
        onFailure: (error, { id }) => void errors.push((error as Error).message.replace(id, 'ID')),
      }),
    )
  await invoke(handler, kinesisEvent([{ data: Buffer.from('{') }]))
  expect(errors).toEqual([expect.stringMatching(/^The body of record ID is not valid JSON/)])
})

it('inside of a record the source is that of the record', async () => {
  const seen: unknown[] = []
  const handler = middy()
    .use(sqs({ logger: new RecordingLogger() }))
    .handler(eachRecord(() => void seen.push(currentInvocation()?.source)))
  await invoke(handler, event)
  expect(seen).toEqual(['sqs', 'sqs'])
})

it('a batch that is answered while its records run stops them, and says why', async () => {
  const begun = Promise.withResolvers<AbortSignal>()
  const handler = middy({
    timeoutEarlyInMillis: 1000,
    timeoutEarlyResponse: () => ({ batchItemFailures: [] }),
  })
    .use(sqs({ logger: new RecordingLogger() }))
    .handler(
      eachRecord(
        ({ signal }) => {
          begun.resolve(signal)
          return new Promise(() => undefined)
        },
        { logger: new RecordingLogger(), deadlineMargin: 0 },
      ),
    )
  const answer = invoke(handler, event, lambdaContext({ timeout: 1010 }))
  const signal = await begun.promise
  expect(await answer).toEqual(all)
  expect(signal.reason).toMatchObject({ message: 'The batch was answered before the record was done' })
})

it('an answer without the batch that it is for is an error', () => {
  const { after } = sqs()
  const request = { event: {}, context: lambdaContext(), response: undefined, error: null, internal: {} }
  expect(() => {
    void after!(request as never)
  }).toThrow('The batch of records is gone')
})

it('a body that is read asynchronously is read once, however often somebody looks too early', () => {
  let calls = 0
  const body = async (text: string): Promise<string> => {
    calls++
    return text
  }
  const [request] = sqsBatch(event, lambdaContext(), { body }).requests
  for (let look = 0; look < 3; look++) expect(() => request!.data).toThrow('is read asynchronously')
  expect(calls).toBe(1)
})
