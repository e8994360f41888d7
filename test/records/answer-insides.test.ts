// What becomes of a batch: lanes, hooks, time limits and answers, where a whole chain reaches few of the inputs.
import middy from '@middy/core'
import { eachRecord, firehose, kinesis, sns } from 'clearskies-middy'
import { firehoseEvent, invoke, kinesisEvent, snsEvent } from 'clearskies-middy/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { lambdaResponseLimit } from '../../src/invocation/response-limit.ts'
import { RecordHooks, type ToldRecord } from '../../src/normalizers/records/record-hooks.ts'
import { RecordTimeLimit } from '../../src/normalizers/records/record-time-limit.ts'
import { sqsLanes } from '../../src/normalizers/records/sqs-lanes.ts'
import { transformed } from '../../src/normalizers/records/transformed.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const fulfilled = (value: unknown): PromiseSettledResult<unknown> => ({ status: 'fulfilled', value })

describe('the lanes of a queue', () => {
  const record = (name: string, group?: string): object => ({
    eventSourceARN: `arn:aws:sqs:eu-central-1:1:${name}`,
    attributes: { ...(group !== undefined && { MessageGroupId: group }) },
  })
  const lanes = (
    records: readonly unknown[],
    options: object = {},
    ids = records.map((_, index) => `m-${index}`),
  ) => sqsLanes({ Records: records as never, ids, identifiers: ids }, options)
  const mixed = [
    record('a'),
    record('b.fifo', 'X'),
    record('a', 'X'),
    record('b.fifo', 'X'),
    record('b.fifo'),
  ]

  it.each<[string, readonly unknown[], object, unknown]>([
    ['none on a standard queue', [record('a', 'X'), record('a', 'X'), null], {}, undefined],
    ['the groups of a FIFO queue', mixed, {}, { lanes: [[0], [1, 3], [2], [4]] }],
    [
      'the groups of any queue',
      [...mixed, record('a', 'X')],
      { fifo: 'group' },
      { lanes: [[0], [1, 3], [2, 5], [4]] },
    ],
    ['the whole batch', mixed, { fifo: 'batch' }, { lanes: [[0, 1, 2, 3, 4]] }],
  ])('are %s', (_, records, options, expected) => {
    expect(lanes(records, options)).toEqual(expected)
  })

  it('have each message once, by its last copy', () => {
    const ids = ['m', '', 'n', 'm', '', 'm']
    const records = ids.map(() => record('a'))
    expect(lanes(records, { deduplicate: true }, ids)).toEqual({
      lanes: [[1], [2], [4], [5]],
      copies: new Map([
        [0, 5],
        [3, 5],
      ]),
    })
  })
})

describe('the hooks of a record', () => {
  const told: ToldRecord<string> = { id: '7', request: 'r' }
  const hooks = (options: object) => {
    const logger = new RecordingLogger()
    return { hooks: new RecordHooks<string>({ ...options, logger }), logger }
  }

  it('that nobody gave are not missed', () => {
    const { hooks: none, logger } = hooks({ onRecord: () => undefined })
    none.succeeded(told)
    none.failed(new Error('x'), told)
    none.skipped(told)
    expect([none.open, logger.warnings, none.wantSuccess]).toEqual([[], [], true])
    expect(hooks({}).hooks.now()).toBeUndefined()
  })

  it('are told how long a record took', () => {
    const outcomes: { outcome: string; milliseconds: number }[] = []
    const { hooks: timed } = hooks({ onRecord: (outcome: (typeof outcomes)[0]) => outcomes.push(outcome) })
    const startedAt = timed.now()!
    expect(startedAt).toBeGreaterThan(0)
    timed.succeeded({ ...told, startedAt: startedAt - 1000 })
    timed.skipped(told)
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'skipped'])
    expect(outcomes[0]!.milliseconds).toBeGreaterThanOrEqual(1000)
    expect(outcomes[0]!.milliseconds).toBeLessThan(60_000)
    expect(outcomes[1]!.milliseconds).toBe(0)
  })
})

describe('the time of a record', () => {
  afterEach(() => {
    vi.useRealTimers()
  })
  const batch = { lambdaContext: {} as never, signal: new AbortController().signal }

  it('ends with an error that names it, and aborts the signal', async () => {
    vi.useFakeTimers()
    const limit = new RecordTimeLimit(batch, 250)
    const { signal } = limit
    const racing = limit.race(new Promise(() => undefined))
    const failed = expect(racing).rejects.toThrow('The record took longer than 250 ms')
    expect([limit.isUp, signal.aborted]).toEqual([false, false])
    await vi.advanceTimersByTimeAsync(250)
    await failed
    expect([limit.isUp, signal.aborted]).toEqual([true, true])
  })

  it('leaves no timer behind work that was done in it', async () => {
    vi.useFakeTimers()
    const limit = new RecordTimeLimit(batch, 250)
    expect(await limit.race(Promise.resolve(7))).toBe(7)
    await expect(limit.race(Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect([limit.isUp, vi.getTimerCount()]).toEqual([false, 0])
  })
})

describe('the answer to Firehose', () => {
  const source = transformed<{ data?: string; kafkaRecordValue?: string }>(() => 'data')
  const made = (
    results: PromiseSettledResult<unknown>[],
    Records: { data?: string }[],
    ids = Records.map((_, i) => `r${i}`),
  ) => {
    const logger = new RecordingLogger()
    return { answer: () => source.from(results, { Records, ids, identifiers: ids }, logger), logger }
  }

  it('keeps what a record had where there is nothing else, and is told of what it cannot send', () => {
    const reason = new Error('x')
    const results = [
      { status: 'rejected', reason } as const,
      fulfilled(() => 1),
      fulfilled(undefined),
      undefined as never,
      fulfilled({ a: 1 }),
      fulfilled('text'),
    ]
    const { answer, logger } = made(results, [{ data: 'QQ==' }, { data: 'Qg==' }, {}, {}, {}, {}])
    expect(answer()).toEqual({
      records: [
        { recordId: 'r0', result: 'ProcessingFailed', data: 'QQ==' },
        { recordId: 'r1', result: 'ProcessingFailed', data: 'Qg==' },
        { recordId: 'r2', result: 'Dropped', data: '' },
        { recordId: 'r3', result: 'ProcessingFailed', data: '' },
        { recordId: 'r4', result: 'Ok', data: Buffer.from('{"a":1}\n').toString('base64') },
        { recordId: 'r5', result: 'Ok', data: Buffer.from('text').toString('base64') },
      ],
    })
    expect(logger.errors.map(({ message, details }) => [message, String(details)])).toEqual([
      ['Record r0 failed', 'Error: x'],
      ['Record r1 failed', 'TypeError: A function is no data of a record'],
      ['Record r3 failed', 'undefined'],
    ])
  })

  it('names what a record lacks', () => {
    expect(made([fulfilled('x')], [{}], ['']).answer).toThrow(
      'Record 0 failed and has no recordId to report: the whole batch is retried',
    )
  })

  it('has a limit, to the byte', () => {
    // Beside the data: an id of two letters, and what the entry has around it.
    const length = lambdaResponseLimit - 64 - 2
    const record = (data: number) => made([fulfilled(undefined)], [{ data: 'x'.repeat(data) }]).answer
    expect(record(length)).not.toThrow()
    expect(record(length + 1)).toThrow(
      expect.objectContaining({ name: 'ResponseTooLargeError', size: lambdaResponseLimit + 1 }),
    )
  })

  it.each<[boolean, unknown]>([
    [true, { records: [{ recordId: 'b' }, { recordId: 'a' }] }],
    [false, { records: [{ recordId: 'a' }] }],
    [false, { records: [{ recordId: 'a' }, { recordId: 'b' }, { recordId: 'a' }] }],
    [false, { records: [null, { recordId: 'a' }] }],
    [false, { records: 'ab' }],
    [false, undefined],
  ])('of a handler counts: %j for %j', (verdict, answer) => {
    expect(source.isAnswer(answer, { Records: [], ids: ['a', 'b'], identifiers: [] })).toBe(verdict)
  })
})

describe('a batch that fails before its records are worked', () => {
  const broken = new Error('behind the normalizer')
  const failing = {
    before: () => {
      throw broken
    },
  }
  it.each([
    ['sns()', (logger: RecordingLogger) => middy().use(sns({ logger })), snsEvent([{ message: '1' }])],
    [
      'firehose()',
      (logger: RecordingLogger) => middy().use(firehose({ logger })),
      firehoseEvent([{ data: 1 }]),
    ],
  ])(
    'fails the invocation by itself behind %s, and the log, which has Lambda’s own line, has none of ours',
    async (_, chainOf, event) => {
      const logger = new RecordingLogger()
      const handler = (chainOf(logger) as middy.MiddyfiedHandler)
        .use(failing)
        .handler(eachRecord(() => undefined, { logger }) as never)
      await expect(invoke(handler, event)).rejects.toBe(broken)
      expect(logger.errors).toEqual([])
    },
  )

  it('is listed whole where a list is taken, and the log says why', async () => {
    const logger = new RecordingLogger()
    const handler = middy()
      .use(kinesis({ logger }))
      .use(failing)
      .handler(eachRecord(() => undefined, { logger }))
    const event = kinesisEvent([{ data: 1 }, { data: 2 }])
    expect(await invoke(handler, event)).toEqual({
      batchItemFailures: [{ itemIdentifier: event.Records[0]!.kinesis.sequenceNumber }],
    })
    expect(logger.errors[0]).toEqual({ message: 'The batch failed', details: broken })
  })
})

it('what the records came to stands when a middleware behind takes the event away, and fails', async () => {
  const logger = new RecordingLogger()
  const handler = middy()
    .use(kinesis({ logger }))
    .use({
      after: (request) => {
        request.event = {} as never
        throw new Error('late')
      },
    })
    .handler(eachRecord(() => undefined, { logger }))
  expect(await invoke(handler, kinesisEvent([{ data: 1 }]))).toEqual({ batchItemFailures: [] })
  expect(logger.errors.map(({ message }) => message)).toEqual(['The batch failed'])
})
