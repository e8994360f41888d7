// What the shape of a record source can do that neither SQS nor SNS needs: lanes by key, the first failure, values.
import middy from '@middy/core'
import { eachRecord } from 'clearskies-middy'
import { invoke } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { lowestFailure } from '../../src/normalizers/records/answers.ts'
import { lanesByKey } from '../../src/normalizers/records/lanes.ts'
import { normalizesRecords } from '../../src/normalizers/records/normalizer.ts'
import { RecordBatch } from '../../src/normalizers/records/record-batch.ts'
import type { RecordRequest } from '../../src/normalizers/records/record-request.ts'
import type { RecordSource } from '../../src/normalizers/records/record-source.ts'
import type { UnknownRecord } from '../../src/core/record.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

interface Entry {
  readonly eventSource: 'test:stream'
  readonly key: string
  readonly at: number
}

type StreamRequest = RecordRequest & { readonly record: Entry }

const stream: RecordSource<Entry, StreamRequest> = {
  factory: 'stream',
  source: 'stream',
  kinds: ['test:stream'],
  records: ({ Records }: { Records: readonly Entry[] }) => Records,
  idOf: ({ key, at }) => `${String(key)}-${String(at)}`,
  request: (record, id, { lambdaContext, signal }) => ({
    kind: 'kinesis',
    source: 'stream',
    id,
    record,
    raw: record,
    lambdaContext,
    signal,
    data: record.at,
  }),
  lanes: ({ Records }) => ({ lanes: lanesByKey(Records, ({ key }) => key) }),
  answer: lowestFailure,
}

function entries(...keys: readonly string[]): { Records: Entry[] } {
  return { Records: keys.map((key, at) => ({ eventSource: 'test:stream', key, at })) }
}

function handlerOf(source: RecordSource<Entry, StreamRequest>, fn: (request: StreamRequest) => unknown) {
  const logger = new RecordingLogger()
  return middy()
    .use(normalizesRecords((event, context) => RecordBatch.read(source, event, context), logger))
    .handler(eachRecord(fn, { logger }))
}

describe('a stream on the shape of a record source', () => {
  it('works keys beside each other, in order inside, and answers the first record that is not done', async () => {
    const seen: string[] = []
    const handler = handlerOf(stream, async ({ id = '', record }) => {
      await Promise.resolve()
      seen.push(id)
      if (record.at === 2) throw new Error('no')
    })
    const answer = await invoke(handler, entries('a', 'b', 'a', 'b', 'a'))
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a-2' }] })
    expect(seen.toSorted()).toEqual(['a-0', 'a-2', 'b-1', 'b-3'])
  })

  it('answers the first failure of each group, named as the source names it', async () => {
    const identifierOf = ({ key, at }: UnknownRecord) => ({ partition: String(key), offset: Number(at) })
    const handler = handlerOf({ ...stream, identifierOf }, ({ record }) => {
      if (record.at > 1) throw new Error('no')
    })
    expect(await invoke(handler, entries('a', 'b', 'a', 'b', 'a'))).toEqual({
      batchItemFailures: [
        { itemIdentifier: { partition: 'a', offset: 2 } },
        { itemIdentifier: { partition: 'b', offset: 3 } },
      ],
    })
  })

  it('answers with the values of the functions where the source takes them', async () => {
    const values: RecordSource<Entry, StreamRequest> = {
      ...stream,
      takesValues: true,
      answer: {
        from: (results) => results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
        isAnswer: () => false,
        join: (answer) => answer,
      },
    }
    const handler = handlerOf(values, ({ record: { at } }) => {
      if (at === 1) throw new Error('no')
      return { statusCode: 500, at }
    })
    expect(await invoke(handler, entries('a', 'b', 'c'))).toEqual([
      { statusCode: 500, at: 0 },
      'failed',
      { statusCode: 500, at: 2 },
    ])
  })
})
