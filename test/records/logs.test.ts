// Subscriptions of CloudWatch Logs: logs() with eachRecord(), cases E58 to E61.
import { gzipSync } from 'node:zlib'
import middy from '@middy/core'
import { InvalidEventError, type LogsRequest, type LogsOptions, eachRecord, logs } from 'clearskies-middy'
import { invoke, logsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../support/failure-of.ts'

/** What the functions of the lines have got. */
async function requestsOf(event: unknown, options?: LogsOptions): Promise<LogsRequest[]> {
  const requests: LogsRequest[] = []
  const handler = middy()
    .use(logs(options))
    .handler(eachRecord((request) => requests.push(request)))
  expect(await invoke(handler, event)).toBeNull() // As Lambda writes undefined.
  return requests
}

const packed = (data: unknown): unknown => ({
  awslogs: { data: gzipSync(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64') },
})

describe('logs(): a line as a request', () => {
  it('E58: every line is one request; JSON is parsed and other text stays', async () => {
    const lines = [{ level: 'error', n: 1 }, 'START RequestId: 7', '{"broken":', '', 'null', '7']
    const event = logsEvent(
      lines.map((message) => ({ message })),
      { logGroup: '/shop', logStream: 's1' },
    )
    const before = structuredClone(event)
    const requests = await requestsOf(event)
    expect(requests.map(({ data }) => data)).toEqual([
      { level: 'error', n: 1 },
      'START RequestId: 7',
      '{"broken":',
      '',
      null,
      7,
    ])
    expect(requests.map((request) => request.text())).toEqual(requests.map(({ message }) => message))
    expect(event).toEqual(before)
  })

  it('E58: a line has its group, stream, id and time', async () => {
    const timestamp = new Date('2026-10-05T06:07:08.910Z')
    const [request] = await requestsOf(
      logsEvent([{ message: 'x', id: '3701', timestamp }], { logGroup: '/shop', logStream: 's1' }),
    )
    const { kind, source, logGroup, logStream, id, record } = request ?? {}
    expect([kind, source, logGroup, logStream, id]).toEqual(['logs', 'logs', '/shop', 's1', '3701'])
    expect(request?.timestamp).toEqual(timestamp)
    expect(record).toMatchObject({ owner: '123456789012', subscriptionFilters: ['all'] })
  })

  it('E59: a control message is done without a call', async () => {
    const event = packed({
      messageType: 'CONTROL_MESSAGE',
      owner: 'CloudwatchLogs',
      logGroup: '',
      logStream: '',
      subscriptionFilters: [],
      logEvents: [{ id: '', timestamp: 1, message: 'CWL CONTROL MESSAGE: Checking health' }],
    })
    expect(await requestsOf(event)).toEqual([])
  })

  it.each([
    ['text that is not packed', { awslogs: { data: Buffer.from('{"logEvents":[]}').toString('base64') } }],
    ['what is no base64', { awslogs: { data: '***' } }],
    ['packed text that is no JSON', packed('secret')],
    ['packed JSON without lines', packed({ messageType: 'DATA_MESSAGE' })],
    ['packed null', packed('null')],
    ['lines that are no list', packed({ messageType: 'DATA_MESSAGE', logEvents: { 0: {} } })],
    [
      'a cut-off event',
      { awslogs: { data: gzipSync('{"logEvents":[]}').subarray(0, 20).toString('base64') } },
    ],
  ])('E60: %s fails the invocation', async (_, event) => {
    const failure = await failureOf(requestsOf(event))
    expect(failure).toBeInstanceOf(InvalidEventError)
    expect(failure).toMatchObject({ seen: 'CloudWatch Logs', expected: ['CloudWatch Logs'] })
    expect(String(failure)).toContain('logs(): the event is not JSON in gzip')
    expect(String(failure)).not.toContain('secret')
  })

  it('E61: an event that unpacks to more than the limit fails, 10 MiB where no option says so', async () => {
    const bomb = packed(JSON.stringify({ logEvents: [{ id: '1', message: ' '.repeat(11 << 20) }] }))
    const failure = await failureOf(requestsOf(bomb))
    expect(failure).toBeInstanceOf(InvalidEventError)
    expect(String(failure)).toContain('10485760')
    expect(await requestsOf(bomb, { maxBytes: 12 << 20 })).toHaveLength(1)
    await expect(requestsOf(logsEvent([{ message: 'x' }]), { maxBytes: 10 })).rejects.toThrow('10 bytes')
  })

  it.each([{ maxBytes: 0 }, { maxBytes: -1 }, { maxBytes: 1.5 }, { maxBites: 1 }])(
    'the options %j are refused',
    (options) => {
      expect(() => logs(options as never)).toThrow(TypeError)
    },
  )

  it('a line that is none fails the invocation, after the others have run', async () => {
    const seen: unknown[] = []
    const handler = middy()
      .use(logs())
      .handler(eachRecord(({ data }) => seen.push(data)))
    const logEvents = [{ id: '1', timestamp: 1, message: 'a' }, null, { id: '3', timestamp: 1, message: 'c' }]
    const event = packed({ messageType: 'DATA_MESSAGE', logGroup: 'g', logStream: 's', logEvents })
    expect(await failureOf(invoke(handler, event))).toBeInstanceOf(TypeError)
    expect(seen).toEqual(['a', 'c'])
  })
})
