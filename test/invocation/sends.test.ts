// What is sent and not awaited is never lost in silence: inside of a chain, inside of a record, and outside of both.
import { model } from 'clearskies-middy/backends/model'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { SqsSendError, ValidationError } from 'clearskies-middy/errors'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import { httpApiEvent, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import type { Context } from 'aws-lambda'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import { cores } from '../support/gated-queue.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { startScript } from '../support/run-script.ts'

type AnyHandler = (event: unknown, context: Context) => Promise<unknown>

const engine = useSqs()
const schema = z.object({ n: z.number() })
let queues = 0

function queueAt(name: string): SqsBackend<{ n: number }, { n: number }> {
  return new SqsBackend(model({ name, schema }), { client: engine.client })
}

/** A queue that takes messages, and one that does not exist. */
const living = () => queueAt(engine.createQueue(`sends-${++queues}`))
const dead = () => queueAt(`${engine.server.address}/000000000000/dead-${++queues}`)

const ways = {
  'create()': (queue: ReturnType<typeof living>) => queue.create({ n: 1 }),
  'createMany()': (queue: ReturnType<typeof living>) => queue.createMany([{ n: 1 }, { n: 2 }]),
  'create() of data that the schema refuses': (queue: ReturnType<typeof living>) =>
    queue.create({ n: 'one' as never }),
}
type Way = keyof typeof ways
const eachWay = Object.keys(ways) as Way[]

describe('R1: outside of any chain', () => {
  it.each(eachWay)('flush() throws the error of an unawaited %s', async (way) => {
    const queue = dead()
    void ways[way](queue)
    await expect(queue.flush()).rejects.toBeInstanceOf(
      way.includes('refuses') ? ValidationError : SqsSendError,
    )
    await queue.flush()
  })

  it.each(eachWay)('flush() resolves where somebody has caught the error of %s', async (way) => {
    const queue = dead()
    const caught = ways[way](queue).catch(() => 'caught')
    await queue.flush()
    expect(await caught).toBe('caught')
  })

  it('flush() throws when everything else has settled', async () => {
    const queue = dead()
    let isSettled = false
    void queue.create({ n: 'one' as never })
    void queue.create({ n: 1 }).catch(() => (isSettled = true))
    await expect(queue.flush()).rejects.toBeInstanceOf(ValidationError)
    expect(isSettled).toBe(true)
  })

  it('without flush() the process ends with the error', async () => {
    const script = startScript(
      `const { SqsBackend } = await import('clearskies-middy/backends/sqs')
       const { model } = await import('clearskies-middy/backends/model')
       const { z } = await import('zod')
       const schema = z.object({ n: z.number() })
       new SqsBackend(model({ name: '${engine.server.address}/000000000000/dead', schema })).create({ n: 1 })`,
      {
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL: engine.server.address,
      },
    )
    const [stderr, [code]] = await Promise.all([text(script.stderr), once(script, 'exit')])
    expect(code).toBe(1)
    expect(stderr).toContain('SqsSendError')
  })
})

describe.each(cores)('R1: in a chain on %s', (_, core) => {
  it.each(eachWay)(
    'an unawaited %s that fails lists all messages of a batch that a handler works whole',
    async (way) => {
      const queue = dead()
      const handler = core()
        .use(sqs({ logger: new RecordingLogger() }))
        .handler(async () => {
          void ways[way](queue)
          return { batchItemFailures: [] }
        }) as unknown as AnyHandler
      await expect(handler(sqsEvent([{ body: 1 }]), lambdaContext())).rejects.toBeInstanceOf(SqsSendError)
    },
  )

  it.each(eachWay)('an unawaited %s that fails is a 500 of an HTTP request', async (way) => {
    const queue = dead()
    const handler = core()
      .use(httpApi({ logger: new RecordingLogger() }))
      .handler(async () => {
        void ways[way](queue)
        return 'done'
      }) as unknown as AnyHandler
    expect(await handler(httpApiEvent(), lambdaContext())).toMatchObject({ statusCode: 500 })
  })

  it.each(eachWay)('an unawaited %s that fails fails a direct invocation', async (way) => {
    const queue = dead()
    const handler = core()
      .use(invocation())
      .handler(() => {
        void ways[way](queue)
      }) as unknown as AnyHandler
    await expect(handler({}, lambdaContext())).rejects.toBeInstanceOf(SqsSendError)
  })

  it.each(eachWay)('an unawaited %s that fails fails its record alone', async (way) => {
    const [queue, other] = [dead(), living()]
    const handler = core()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(({ data }) => {
          void ((data as { id: string }).id === 'b' ? ways[way](queue) : other.create({ n: 1 }))
        }),
      ) as unknown as AnyHandler
    const event = sqsEvent(['a', 'b', 'c'].map((messageId) => ({ body: { id: messageId }, messageId })))
    expect(await handler(event, lambdaContext())).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }] })
  })
})

describe('R2: a record’s guarantee does not depend on when the backend is loaded', () => {
  it('the first record of a process that imports it late waits for its message', async () => {
    const url = engine.createQueue(`late-${++queues}`)
    const script = startScript(
      `import middy from '@middy/core'
       import { eachRecord } from 'clearskies-middy/normalizers/each-record'
       import { sqs } from 'clearskies-middy/normalizers/sqs'
       import { lambdaContext, sqsEvent } from 'clearskies-middy/testing'
       import { SQSClient } from '@aws-sdk/client-sqs'
       import { z } from 'zod'
       const real = new SQSClient({ endpoint: '${engine.server.address}' })
       let acknowledged = 0
       const client = { send: async (command) => { const output = await real.send(command); acknowledged++; return output } }
       let queue
       const handler = middy().use(sqs()).handler(eachRecord(async ({ data }) => {
         const { SqsBackend } = await import('clearskies-middy/backends/sqs')
         const { model } = await import('clearskies-middy/backends/model')
         queue ??= new SqsBackend(model({ name: '${url}', schema: z.object({ n: z.number() }) }), { client })
         void queue.create(data)
       }))
       for (let round = 1; round <= 3; round++) {
         const answer = await handler(sqsEvent([{ body: { n: round } }]), lambdaContext())
         console.log(JSON.stringify({ answer, acknowledged }))
       }`,
      { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    )
    const [stdout] = await Promise.all([text(script.stdout), once(script, 'exit')])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([1, 2, 3].map((acknowledged) => ({ answer: { batchItemFailures: [] }, acknowledged })))
  })
})
