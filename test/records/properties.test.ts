// For any batch and any outcomes: the list that a simple model gives; never a changed event, never an unhandled rejection.
import middy from '@middy/core'
import { PermanentFailureError, RetryLaterError } from 'clearskies-middy/errors'
import { type EachRecordOptions, eachRecord } from 'clearskies-middy/normalizers/each-record'
import { respond } from 'clearskies-middy/normalizers/respond'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { runs } from '../support/runs.ts'
import { fifoArn, listed, turns } from '../support/sqs-work.ts'

const rejections: unknown[] = []
const remember = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', remember))
afterAll(async () => {
  await new Promise(setImmediate)
  process.off('unhandledRejection', remember)
  expect(rejections).toEqual([])
})

const outcomes = {
  'gives undefined': () => undefined,
  'gives 299': () => respond({}, { status: 299 }),
  'gives a list': () => ({ batchItemFailures: [] }),
  throws: () => {
    throw new Error('no')
  },
  'throws null': () => {
    throw null
  },
  'rejects with undefined': () => Promise.reject(undefined),
  'rejects late': async () => {
    await turns(4)
    throw Object.freeze(new Error('late'))
  },
  'gives 300': () => respond({}, { status: 300 }),
  'gives 503 late': () => Promise.resolve({ statusCode: 503 }),
  'gives a web response': () => new Response('', { status: 404 }),
  'is to come later': () => Promise.reject(new RetryLaterError({ delaySeconds: 7 })),
  'is to come at no time': () => Promise.reject(new RetryLaterError({ delaySeconds: NaN })),
  'can never be worked': () => Promise.reject(new PermanentFailureError()),
  'is malformed': () => expect.unreachable('the function saw a malformed body'),
} satisfies Record<string, () => unknown>

type Outcome = keyof typeof outcomes
const succeeds: readonly Outcome[] = ['gives undefined', 'gives 299', 'gives a list']

const record = fc.record({
  messageId: fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9'),
  groupId: fc.option(fc.constantFrom('A', 'B', 'C'), { nil: undefined }),
  outcome: fc.oneof(fc.constantFrom(...succeeds), fc.constantFrom(...(Object.keys(outcomes) as Outcome[]))),
  lasts: fc.nat(6),
})
type Described = typeof record extends fc.Arbitrary<infer T> ? T : never

const batch = fc.record({
  records: fc.array(record, { maxLength: 14 }),
  isFifo: fc.boolean(),
  options: fc.record(
    {
      concurrency: fc.integer({ min: 1, max: 12 }),
      fifo: fc.constantFrom('auto', 'group', 'batch'),
      deduplicate: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
})

/** What has to be listed, by the position of the first failed copy, and which positions are worked. */
function model(
  records: readonly Described[],
  isFifo: boolean,
  { fifo = 'auto', deduplicate = false }: EachRecordOptions,
) {
  const stopped = new Set<string>()
  const failed = new Set<number>()
  const worked: number[] = []
  const lastCopy = (index: number) =>
    deduplicate ? records.findLastIndex(({ messageId }) => messageId === records[index]?.messageId) : index
  for (const [index, { groupId = 'none', outcome }] of records.entries()) {
    if (lastCopy(index) !== index) continue
    const isOrdered = fifo !== 'auto' || isFifo
    const lane = fifo === 'batch' ? 'all' : groupId
    const isSkipped = isOrdered && stopped.has(lane)
    if (!isSkipped && outcome !== 'is malformed') worked.push(index)
    if (!isSkipped && succeeds.includes(outcome)) continue
    failed.add(index)
    stopped.add(lane)
  }
  const listed = records.filter((_, index) => failed.has(lastCopy(index))).map(({ messageId }) => messageId)
  return { failed: [...new Set(listed)], worked }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
  return value
}

it('the list is what a simple model says, and the event stays as it was', async () => {
  await fc.assert(
    fc.asyncProperty(batch, async ({ records, isFifo, options }) => {
      const event = deepFreeze(
        sqsEvent(
          records.map(({ messageId, groupId, outcome }, index) => ({
            messageId,
            body: outcome === 'is malformed' ? '{malformed' : String(index),
            receiptHandle: String(index),
            ...(groupId !== undefined && { groupId }),
          })),
          isFifo ? { queueArn: fifoArn } : {},
        ),
      )
      const worked: number[] = []
      const delayed: string[] = []
      const fn = async ({ data }: SqsRequest): Promise<unknown> => {
        const { outcome, lasts } = records[data as number]!
        worked.push(data as number)
        await turns(lasts)
        return outcomes[outcome]()
      }
      const logger = new RecordingLogger()
      const client = {
        send({ input }: { input: { Entries: { ReceiptHandle: string }[] } }) {
          delayed.push(...input.Entries.map(({ ReceiptHandle }) => ReceiptHandle))
          return Promise.resolve({})
        },
      }
      const definite = Object.fromEntries(
        Object.entries(options).filter(([, value]) => (value as unknown) !== undefined),
      ) as EachRecordOptions
      const handler = middy()
        .use(sqs({ logger }))
        .handler(eachRecord(fn, { client, logger, ...definite })) as unknown as (
        event: unknown,
        context: unknown,
      ) => Promise<unknown>
      const expected = model(records, isFifo, definite)
      expect(listed(await handler(event, lambdaContext()))).toEqual(expected.failed)
      expect(worked.toSorted((a, b) => a - b)).toEqual(expected.worked)
      expect(delayed.map(Number).toSorted((a, b) => a - b)).toEqual(
        expected.worked.filter((index) => records[index]?.outcome === 'is to come later'),
      )
    }),
    { seed: 20_260_310, numRuns: runs(2_000) },
  )
})
