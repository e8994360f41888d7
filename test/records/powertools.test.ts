// Powertools' and Middy's own middlewares in the chain of a batch and of a record, each the real package.
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency'
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware'
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb'
import { Logger } from '@aws-lambda-powertools/logger'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { parser } from '@aws-lambda-powertools/parser/middleware'
import { SqsSchema } from '@aws-lambda-powertools/parser/schemas/sqs'
import { Tracer } from '@aws-lambda-powertools/tracer'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { SQSRecord } from 'aws-lambda'
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { useDynamoDb } from '../support/engines.ts'
import { cores } from '../support/gated-queue.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { abc, failing, fifoArn, listed } from '../support/sqs-work.ts'

const engine = useDynamoDb()
let tables = 0

/** A store of Powertools' idempotency in a table of its own. */
async function store() {
  const tableName = `idempotency-${++tables}`
  await engine.createTable(tableName, { key: ['id'], columns: { id: 'S' } })
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'worker')
  return new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: engine.client })
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const quiet = { info: () => undefined, debug: () => undefined, warn: () => undefined, error: () => undefined }
const event = sqsEvent(abc)

/** For `use()`, whose types cannot know what is in it. */
function listOf(middleware: object | undefined): [] {
  const list: unknown = middleware === undefined ? [] : [middleware]
  return list as []
}

describe.each(cores)('on %s', (_, core) => {
  /** Works the batch; what it lists, and what was called. */
  async function chain(
    middlewares: { batch?: object; front?: object; record?: object },
    fn: (request: SqsRequest) => unknown = failing('b'),
    batch: object = event,
  ) {
    const logger = new RecordingLogger()
    const called: string[] = []
    const own = (request: SqsRequest): unknown => {
      called.push(request.messageId)
      return fn(request)
    }
    const { front, batch: behind, record } = middlewares
    const work =
      record === undefined
        ? own
        : core()
            .use(listOf(record))
            .handler(own as never)
    const handler = core()
      .use(listOf(front))
      .use(sqs({ logger }))
      .use(listOf(behind))
      .handler(eachRecord(work as never, { logger }) as never)
    const failed = listed(await invoke(handler, batch, lambdaContext()))
    return { failed, called: called.toSorted(), logger }
  }

  const holding: readonly (readonly [name: string, make: () => object])[] = [
    ['logger', () => injectLambdaContext(new Logger({ serviceName: 'worker', logLevel: 'SILENT' }))],
    ['tracer', () => captureLambdaHandler(new Tracer({ enabled: false }))],
    [
      'metrics',
      () => logMetrics(new Metrics({ namespace: 'shop', logger: quiet }), { throwOnEmptyMetrics: false }),
    ],
    ['sqs-partial-batch-failure', () => sqsPartialBatchFailure({ logger: () => undefined })],
  ]

  describe.each(holding)('%s', (name, make) => {
    it.each([
      ['in front of sqs()', 'front'],
      ['behind sqs()', 'batch'],
      ['in the chain of a record', 'record'],
    ] as const)('%s: the failed record alone is listed', async (_where, place) => {
      // It makes an answer for a batch, which no record is.
      if (name === 'sqs-partial-batch-failure' && place === 'record') return
      for (const [batch, ids] of [
        [event, ['b']],
        [sqsEvent(abc, { queueArn: fifoArn }), ['b', 'c']],
      ] as const) {
        const { failed } = await chain({ [place]: make() }, failing('b'), batch)
        expect(failed).toEqual(ids)
      }
      expect((await chain({ [place]: make() }, failing())).failed).toEqual([])
    })
  })

  it('parser: what replaces the batch is refused, and nothing is deleted', async () => {
    await expect(chain({ batch: parser({ schema: SqsSchema }) }, failing())).rejects.toThrow(
      'eachRecord() needs .use(sqs()) in front',
    )
  })

  it('R26: idempotency of a record holds where it answers with a value: a redelivery runs only what failed', async () => {
    const config = new IdempotencyConfig({ eventKeyJmesPath: 'messageId' })
    for (const [value, again] of [
      ['done', ['b']],
      // Powertools cannot replay nothing through Middy.
      [undefined, ['a', 'b', 'c']],
    ] as const) {
      const persistenceStore = await store()
      const record = makeHandlerIdempotent({ persistenceStore, config })
      const fn = (broken: string) => (request: SqsRequest) => {
        failing(broken)(request)
        return value
      }
      const first = await chain({ record }, fn('b'))
      const second = await chain({ record }, fn('none'))
      expect([first.failed, first.called, second.failed]).toEqual([['b'], ['a', 'b', 'c'], []])
      expect(second.called).toEqual(again)
    }
  })

  it('R26: a function that is made idempotent by its data holds', async () => {
    const persistenceStore = await store()
    const called: unknown[] = []
    const once = makeIdempotent(
      async (data: unknown) => {
        called.push(data)
        return 1
      },
      { persistenceStore },
    )
    const fn = ({ data }: SqsRequest): unknown => once(data)
    expect((await chain({}, fn)).failed).toEqual([])
    expect((await chain({}, fn)).failed).toEqual([])
    expect(called).toHaveLength(3)
  })

  it('R26: idempotency of the batch guards nothing: a redelivery runs again, and the answer is right', async () => {
    const persistenceStore = await store()
    const config = new IdempotencyConfig({ eventKeyJmesPath: 'Records[*].messageId' })
    const runs = [await chain({ batch: makeHandlerIdempotent({ persistenceStore, config }) }, failing())]
    runs.push(await chain({ batch: makeHandlerIdempotent({ persistenceStore, config }) }, failing()))
    expect(runs.map(({ failed }) => failed)).toEqual([[], []])
    expect(runs.map(({ called }) => called.length)).toEqual([3, 3])
  })
})

it('batch: processPartialResponse takes what EventBridge Pipes does not send, and lists what sqs() lists', async () => {
  const processor = new BatchProcessor(EventType.SQS)
  const answer = await processPartialResponse(
    event,
    async ({ messageId }: SQSRecord) => {
      if (messageId === 'b') throw new Error('no')
    },
    processor,
    { context: lambdaContext() },
  )
  expect(listed(answer)).toEqual(['b'])
})
