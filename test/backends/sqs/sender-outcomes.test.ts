// What a sender makes of any answer, and when: against a client that answers as it is told, on a clock that the test turns.
import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { model } from 'clearskies-middy/backends/model'
import { SqsBackend, type SqsBackendOptions } from 'clearskies-middy/backends/sqs'
import { InvalidDataError } from 'clearskies-middy/errors'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../../support/recording-logger.ts'

const schema = z.object({ id: z.string() })
type Message = z.infer<typeof schema>
type Entries = NonNullable<SendMessageBatchCommand['input']['Entries']>
type Answer = (entries: Entries, number: number) => unknown

const url = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders'
const start = 1_773_100_000_000
beforeAll(async () => {
  // The AWS SDK is loaded with the first message, which no timer tells of.
  await open(taken).create('first')
})
beforeEach(() => {
  vi.useFakeTimers({ now: start })
  vi.spyOn(Math, 'random').mockReturnValue(1)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const taken: Answer = (entries) => ({ Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })) })
const idsOf = (entries: Entries): string[] =>
  entries.map(({ MessageBody = '' }) => (JSON.parse(MessageBody) as Message).id.slice(0, 5))

/** A backend, and what was sent when. */
function open(
  answer: Answer,
  { fifo = false, ...options }: SqsBackendOptions<Message> & { fifo?: boolean } = {},
) {
  const requests: { readonly at: number; readonly ids: string[]; readonly entries: Entries }[] = []
  const client = {
    async send({ input: { Entries = [] } }: SendMessageBatchCommand) {
      requests.push({ at: Date.now() - start, ids: idsOf(Entries), entries: Entries })
      return Promise.resolve(answer(Entries, requests.length - 1))
    },
  }
  const logger = new RecordingLogger()
  const name = `${url}${fifo ? '.fifo' : ''}`
  const byGroup = fifo && { groupId: ({ id }: Message) => id.charAt(0) }
  const queue = new SqsBackend(model({ name, schema }), { client, logger, ...byGroup, ...options })
  const create = async (id: string): Promise<string> =>
    queue.create({ id }).then(
      () => 'sent',
      (error: unknown) => (error as Error).message,
    )
  return { queue, create, requests, logger }
}

const failure = (facts: object) => Object.assign(new Error('x'), facts)

describe('a call that fails', () => {
  it.each<[string, object, number, string]>([
    ['a broken connection', { code: 'ECONNRESET' }, 6, 'SQS may have the message or not: ECONNRESET'],
    ['a host that is not found', { code: 'EAI_AGAIN' }, 6, 'SQS may have the message or not: EAI_AGAIN'],
    ["undici's error", { code: 'UND_ERR_SOCKET' }, 6, 'SQS may have the message or not: UND_ERR_SOCKET'],
    ["Node's own error", { code: 'ERR_INVALID_URL' }, 1, 'SQS did not take the message: ERR_INVALID_URL'],
    ['another code', { code: 'XECONNRESET' }, 1, 'SQS did not take the message: XECONNRESET'],
    ['a code in lower case', { code: 'econnreset' }, 1, 'SQS did not take the message: econnreset'],
    ['a code with a tail', { code: 'UND_ERR_SOCKET!' }, 1, 'SQS did not take the message: UND_ERR_SOCKET!'],
    ['a hang up', { message: 'socket hang up' }, 6, 'SQS may have the message or not: Unknown'],
    ['a timeout', { name: 'TimeoutError' }, 6, 'SQS may have the message or not: TimeoutError'],
    ['anything', {}, 1, 'SQS did not take the message: Unknown'],
    ['a fault of SQS', { name: 'Odd', $fault: 'server' }, 6, 'SQS did not take the message: Odd'],
    ['a fault of the caller', { name: 'Odd', $fault: 'client' }, 1, 'SQS did not take the message: Odd'],
    ['throttling', { name: 'ThrottlingException' }, 6, 'SQS did not take the message: ThrottlingException'],
    [
      'an error of the older protocol',
      { name: 'AWS.SimpleQueueService.NonExistentQueue' },
      1,
      'SQS did not take the message: NonExistentQueue',
    ],
    [
      'a missing permission, which is told whole',
      { name: 'AccessDenied', message: 'User x may not sqs:SendMessage' },
      1,
      'SQS did not take the message: AccessDenied (User x may not sqs:SendMessage)',
    ],
    [
      'a key that may not be used',
      { name: 'KmsAccessDenied', message: 'hunter2' },
      1,
      'SQS did not take the message: KmsAccessDenied',
    ],
    [
      'another checksum',
      { message: 'Invalid MD5 checksum on messages' },
      1,
      'SQS has the message, but its checksum differs from the one computed here: InvalidChecksum',
    ],
    ...([500, 503, 429] as const).map((httpStatusCode): [string, object, number, string] => [
      `the status ${httpStatusCode}`,
      { name: 'Odd', $metadata: { httpStatusCode } },
      6,
      'SQS did not take the message: Odd',
    ]),
    ...([300, 400, 404, 499] as const).map((httpStatusCode): [string, object, number, string] => [
      `the status ${httpStatusCode}`,
      { name: 'Odd', $metadata: { httpStatusCode } },
      1,
      'SQS did not take the message: Odd',
    ]),
    ...([200, 299] as const).map((httpStatusCode): [string, object, number, string] => [
      `an answer with ${httpStatusCode} that cannot be read`,
      { name: 'Odd', $metadata: { httpStatusCode } },
      6,
      'SQS may have the message or not: Odd',
    ]),
  ])('with %s is tried as often as that makes sense', async (_, facts, attempts, message) => {
    const { create, requests } = open(() => {
      throw failure(facts)
    })
    const sending = create('a')
    await vi.runAllTimersAsync()
    expect([await sending, requests.length]).toEqual([`${message}; queue ${url}`, attempts])
  })

  it('is tried again after pauses that double, to two seconds', async () => {
    const { create, requests } = open(() => {
      throw failure({ $fault: 'server' })
    })
    const sending = create('a')
    await vi.runAllTimersAsync()
    await sending
    expect(requests.map(({ at }) => at)).toEqual([0, 100, 300, 700, 1500, 3100])
  })

  it.each([
    ['The batch may have 262,144 bytes', 262_144],
    ['The batch may have 262144 bytes', 262_144],
    ['The batch is too long', 200_000],
  ])('for its length teaches the limit: %s', async (message, limit) => {
    const { create, requests } = open((entries, number) => {
      if (number === 0) throw failure({ name: 'BatchRequestTooLong', message })
      return taken(entries, number)
    })
    const body = (bytes: number, id: string) => id.padEnd(bytes - '{"id":""}'.length, 'x')
    const first = [create(body(200_000, 'a')), create(body(200_000, 'b'))]
    await vi.runAllTimersAsync()
    expect(await Promise.all(first)).toEqual(['sent', 'sent'])
    const half = limit / 2
    const more = [create(body(half, 'c')), create(body(half, 'd')), create(body(half, 'e'))]
    await vi.runAllTimersAsync()
    expect(await Promise.all(more)).toEqual(['sent', 'sent', 'sent'])
    expect(requests.map(({ ids }) => ids.map((id) => id.charAt(0)).join(''))).toEqual([
      'ab',
      'a',
      'b',
      'cd',
      'e',
    ])
  })
})

describe('an entry that fails', () => {
  it.each<[object, number, string]>([
    [{ SenderFault: true }, 1, 'SQS did not take the message: Unknown'],
    [
      { SenderFault: true, Code: 'InvalidMessageContents' },
      1,
      'SQS did not take the message: InvalidMessageContents',
    ],
    [{ SenderFault: true, Code: 'RequestThrottled' }, 6, 'SQS did not take the message: RequestThrottled'],
    [{ SenderFault: false, Code: 'Odd' }, 6, 'SQS did not take the message: Odd'],
    [{}, 6, 'SQS did not take the message: Unknown'],
  ])('with %j is tried %i times', async (facts, attempts, message) => {
    const { create, requests } = open((entries) => ({ Failed: entries.map(({ Id }) => ({ Id, ...facts })) }))
    const sending = create('a')
    await vi.runAllTimersAsync()
    expect([await sending, requests.length]).toEqual([`${message}; queue ${url}`, attempts])
  })
})

describe('requests', () => {
  it('without linger wait for no timer', async () => {
    const { create } = open(taken)
    expect(await create('a')).toBe('sent')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('with linger go when the first message has waited, and the next ones wait as long', async () => {
    const { create, requests } = open(taken, { linger: 100 })
    for (const [at, id] of [
      [0, 'a'],
      [50, 'b'],
      [120, 'c'],
    ] as const) {
      await vi.advanceTimersByTimeAsync(start + at - Date.now())
      void create(id)
    }
    await vi.runAllTimersAsync()
    expect(requests.map(({ at, ids }) => [at, ids])).toEqual([
      [100, ['a', 'b']],
      [220, ['c']],
    ])
  })

  it('are filled to the last byte, and no further', async () => {
    const { create, requests } = open(taken)
    const half = (id: string) => id.padEnd(524_288 - '{"id":""}'.length, 'x')
    await Promise.all(['a', 'b', 'c', 'dd'].map((id) => create(id === 'dd' ? `${half('d')}x` : half(id))))
    expect(requests.map(({ ids }) => ids.map((id) => id.charAt(0)).join(''))).toEqual(['ab', 'c', 'd'])
  })

  it('have nothing in them that was not given', async () => {
    const { create, requests } = open(taken)
    await create('a')
    expect(requests[0]?.entries.map((entry) => Object.keys(entry))).toEqual([['MessageBody', 'Id']])
    for (const delaySeconds of [0, 900]) {
      const delayed = open(taken, { delaySeconds: () => delaySeconds })
      await delayed.create('a')
      expect(delayed.requests[0]?.entries[0]).toHaveProperty('DelaySeconds', delaySeconds)
    }
  })

  it.each([-1, 901, 0.5, NaN])('have no message delayed by %s', async (seconds) => {
    const { queue, requests } = open(taken, { delaySeconds: () => seconds })
    await expect(queue.create({ id: 'a' })).rejects.toThrow(InvalidDataError)
    expect(requests).toEqual([])
  })

  it.each([
    ['n'.repeat(256), true],
    ['n'.repeat(257), false],
    ['a.b-c_1', true],
    ['a..b', false],
    ['ab..c', false],
    ['.a', false],
    ['a.', false],
    ['aws.a', false],
    ['AMAZON.a', false],
    ['awsa', true],
    ['a b', false],
    ['', false],
  ])('have no attribute of a name that SQS refuses: %s', async (name, isTaken) => {
    const { create } = open(taken, { attributes: () => ({ [name]: 'x' }) })
    expect((await create('a')) === 'sent').toBe(isTaken)
  })

  it('have ten attributes a message, and not eleven', async () => {
    const some = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, 1]))
    expect(await open(taken, { attributes: () => some(10) }).create('a')).toBe('sent')
    expect(await open(taken, { attributes: () => some(11) }).create('a')).toMatch(
      /at most 10 attributes, this one 11/,
    )
  })
})

describe('on a FIFO queue', () => {
  it('a stop rejects what has not been sent of its group, and nothing else', async () => {
    const { create, requests } = open(
      (entries, number) => {
        if (number > 0) return taken(entries, number)
        throw failure({ name: 'Odd', $fault: 'client' })
      },
      { fifo: true, linger: 100, onGroupError: 'stop' },
    )
    const first = Array.from({ length: 10 }, (_, index) => create(`a${index}`))
    const behind = [create('a-behind'), create('b')]
    await vi.runAllTimersAsync()
    const odd = `SQS did not take the message: Odd; queue ${url}.fifo`
    const givenUp = expect.stringMatching(/^Given up, to keep the order: a message of its group/) as string
    expect(await Promise.all(first)).toEqual(first.map((_, index) => (index === 0 ? odd : givenUp)))
    expect(await Promise.all(behind)).toEqual([givenUp, 'sent'])
    expect(requests.at(-1)?.ids).toEqual(['b'])
  })

  it('an answer without sequence numbers tells of no duplicate', async () => {
    const { create, logger } = open(taken, { fifo: true })
    expect(await Promise.all(['a1', 'a2'].map(create))).toEqual(['sent', 'sent'])
    expect(logger.warnings).toEqual([])
  })
})

it('what cannot be written as JSON is refused with its cause', async () => {
  const name = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders'
  const queue = new SqsBackend(model({ name, schema: z.object({ id: z.bigint() }) }), {
    client: { send: () => Promise.reject(new Error('Nothing is to be sent')) },
  })
  const error: unknown = await queue.create({ id: 1n }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(InvalidDataError)
  expect(error).toMatchObject({ cause: expect.any(TypeError) as TypeError })
})
