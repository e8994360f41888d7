import { InvalidDataError, SqsSendError, ValidationError, model } from 'clearskies-middy'
import { type MessageAttributes, SqsBackend, type SqsBackendOptions } from 'clearskies-middy/backends/sqs'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { internalError, throttles } from '../../support/sqs-faults.ts'
import type { WireEntry } from '../../support/sqs-wire.ts'
import { type Item, items, reasonOf, schema, useFaultySqs, withoutPauses } from '../../support/sqs-sending.ts'

const sqs = useFaultySqs()

/** The sizes of the requests that sent messages. */
const sizes = ({ sent }: { readonly sent: readonly { readonly entries: readonly unknown[] }[] }) =>
  sent.map(({ entries }) => entries.length)

/** An item that is so many bytes in JSON. */
const itemOf = (bytes: number, id = 'x'): Item => ({
  id,
  text: 'x'.repeat(bytes - `{"id":"${id}","text":""}`.length),
})

const limit = 1_048_576

describe('creating messages', () => {
  it('sqs D1 resolves when SQS has acknowledged that very message, not before', async () => {
    const { backend, hold, ids } = await sqs.open()
    const { reached, release } = hold(1)
    let resolved = false
    const created = backend.create({ id: '7' }).then(() => (resolved = true))
    await reached
    expect([resolved, ids()]).toEqual([false, []])
    release()
    await created
    expect(ids()).toEqual(['7'])
  })

  const eleven = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`a${index}`, 1]))
  const attributes = (value: unknown): SqsBackendOptions<Item> => ({
    attributes: () => value as MessageAttributes,
  })
  const long = 'x'.repeat(129)
  it.each<[string, RegExp, SqsBackendOptions<Item>, boolean?]>([
    ['more attributes than ten', /at most 10/, attributes(eleven)],
    ['an attribute without text', /"a" is empty/, attributes({ a: '' })],
    ['an attribute without bytes', /"a" is empty/, attributes({ a: new Uint8Array() })],
    ['an attribute that is no number', /"a" is no text/, attributes({ a: NaN })],
    ['an attribute that is nothing', /"a" is no text/, attributes({ a: undefined })],
    ['an attribute with a name of AWS', /"aws.a" is no name/, attributes({ 'aws.a': 1 })],
    ['an attribute with a name that ends in a dot', /"a." is no name/, attributes({ 'a.': 1 })],
    ['an attribute with a long name', /is no name/, attributes({ ['a'.repeat(257)]: 1 })],
    ['a delay of 901 seconds', /0 to 900/, { delaySeconds: () => 901 }],
    ['a delay of half a second', /0 to 900/, { delaySeconds: () => 0.5 }],
    ['a group id of 129 characters', /A group id has/, { groupId: () => long }],
    ['an empty group id on a FIFO queue', /A group id has/, { groupId: () => '' }, true],
    ['no group id on a FIFO queue', /needs a group id/, { groupId: (() => undefined) as never }, true],
    ['a delay on a FIFO queue', /delays no single/, { delaySeconds: 1 }, true],
    ['a deduplication id of 129 characters', /A deduplication id has/, { deduplicationId: () => long }, true],
  ])('sqs D1 refuses %s before anything is sent', async (_, message, options, fifo = false) => {
    const { backend, proxy } = await sqs.open(options, { fifo })
    const error = await reasonOf(backend.create({ id: '7' }))
    expect(error).toBeInstanceOf(InvalidDataError)
    expect(String(error)).toMatch(message)
    expect(proxy.requests).toEqual([])
  })

  const cycle: unknown[] = []
  cycle.push(cycle)
  it.each<[string, unknown, RegExp]>([
    ['a function', () => 7, /function cannot be written as JSON/],
    ['undefined', undefined, /undefined cannot be written as JSON/],
    ['a bigint', { id: 7n }, /a cycle or a bigint/],
    ['a cycle', cycle, /a cycle or a bigint/],
    ['one byte too many', 'x'.repeat(limit - 1), /is 1048577 bytes, and SQS takes at most 1048576/],
  ])('sqs D1 refuses %s before anything is sent', async (_, data, message) => {
    const { url, client, proxy } = await sqs.open()
    const backend = new SqsBackend(model({ name: url, schema: z.any() }), { client })
    const error = await reasonOf(backend.create(data))
    expect(error).toBeInstanceOf(InvalidDataError)
    expect(String(error)).toMatch(message)
    expect(proxy.requests).toEqual([])
  })

  it('sqs D1 sends characters that SQS refuses and JSON does not escape', async () => {
    const { backend, messages } = await sqs.open()
    const text = 'a\ufffe\uffff\ufffe\u0000\ud800ż€'
    await backend.create({ id: '7', text })
    const [message] = messages()
    expect(message?.body).toContain('\\ufffe\\uffff\\ufffe\\u0000\\ud800ż€')
    expect(JSON.parse(message?.body ?? '')).toEqual({ id: '7', text })
  })
})

describe('packing requests', () => {
  it('sqs D2 counts the UTF-8 bytes of the body and of the attributes’ names, types and values', async () => {
    const { backend, proxy, messages } = await sqs.open({ attributes: () => ({ name: 'ż€', size: 15 }) })
    const beside = 'name'.length + 'String'.length + 5 + 'size'.length + 'Number'.length + 2
    // 1,000 characters of two bytes each in place of 2,000 of one.
    const text = (itemOf(limit - beside).text ?? '').slice(2000) + 'ż'.repeat(1000)
    await backend.create({ id: 'x', text })
    expect([messages().length, proxy.sent[0]?.bytes]).toEqual([1, limit])
    const error = await reasonOf(backend.create({ id: 'x', text: `${text}x` }))
    expect(String(error)).toContain('1048577 bytes')
  })

  it('sqs D2 counts the bytes of a binary attribute, and not those of its base64', async () => {
    const { backend, proxy } = await sqs.open({ attributes: () => ({ data: new Uint8Array(700) }) })
    await backend.create({ id: 'x' })
    expect(proxy.sent[0]?.bytes).toBe('{"id":"x"}'.length + 'data'.length + 'Binary'.length + 700)
    const error = await reasonOf(backend.create(itemOf(limit - 'dataBinary'.length - 700 + 1)))
    expect(String(error)).toContain('1048577 bytes')
  })

  it('sqs D2 sends a message of exactly 1,048,576 bytes, and alone', async () => {
    const { backend, proxy, ids } = await sqs.open()
    await backend.createMany([{ id: 'before' }, itemOf(limit, 'large'), { id: 'behind' }])
    expect(sizes(proxy)).toEqual([1, 1, 1])
    expect(proxy.sent.map(({ bytes }) => bytes)).toContain(limit)
    expect(ids().sort()).toEqual(['before', 'behind', 'large'])
  })

  it('sqs D2 sends ten messages of 200 KiB as five and five', async () => {
    const { backend, proxy } = await sqs.open()
    await backend.createMany(Array.from({ length: 10 }, () => itemOf(200 * 1024)))
    expect(sizes(proxy)).toEqual([5, 5])
  })

  it('sqs D2 names entries by their position, whatever they hold', async () => {
    const { backend, proxy, ids } = await sqs.open()
    await backend.createMany(Array.from({ length: 12 }, () => ({ id: '{"a":1}' })))
    expect(proxy.sent.map(({ entries }) => entries.map(({ Id }) => Id).join(''))).toEqual([
      '0123456789',
      '01',
    ])
    expect(ids()).toHaveLength(12)
  })

  it('sqs D2 sends no empty request', async () => {
    const { backend, proxy } = await sqs.open()
    expect(await backend.createMany([])).toEqual([])
    await backend.flush()
    expect(proxy.requests).toEqual([])
  })
})

describe('sharing requests', () => {
  it('sqs D3 sends 1,000 concurrent creates in 100 requests', async () => {
    const { backend, proxy, ids } = await sqs.open()
    await Promise.all(items(1000).map((item) => backend.create(item)))
    expect(proxy.sent).toHaveLength(100)
    expect(new Set(ids()).size).toBe(1000)
  })

  it('sqs D3 sends creates that follow from promises of the same tick in one request', async () => {
    const { backend, proxy } = await sqs.open()
    await Promise.all(
      items(9).map(async (item, index) => {
        for (let turns = index; turns > 0; turns--) await Promise.resolve()
        await backend.create(item)
      }),
    )
    expect(sizes(proxy)).toEqual([9])
  })

  it('sqs D3 with linger sends ten at once, and does not wait for time to pass', async () => {
    const { backend, proxy } = await sqs.open({ linger: 60_000_000 })
    await Promise.all(items(20).map((item) => backend.create(item)))
    expect(sizes(proxy)).toEqual([10, 10])
  })

  /** A client that takes everything, and time that passes only when it is told to. */
  function standStill() {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const requests: number[] = []
    const client = {
      send: async ({ input }: { readonly input: { readonly Entries: readonly WireEntry[] } }) => {
        requests.push(input.Entries.length)
        return { Successful: input.Entries }
      },
    }
    const backend = new SqsBackend(model({ name: 'https://sqs/queue', schema }), { client, linger: 20 })
    return { backend, requests }
  }

  it('sqs D3 with linger shares a request among creates of several turns', async () => {
    const { backend, requests } = standStill()
    const created = [backend.create({ id: 'a' })]
    await new Promise(setImmediate)
    created.push(backend.create({ id: 'b' }))
    await new Promise(setImmediate)
    expect(requests).toEqual([])
    await vi.advanceTimersByTimeAsync(20)
    await Promise.all(created)
    expect(requests).toEqual([2])
  })

  it('sqs D3 with linger sends at once what fills a request by its bytes', async () => {
    const { backend, requests } = standStill()
    const created = Array.from({ length: 6 }, () => backend.create(itemOf(200 * 1024)))
    await Promise.all(created.slice(0, 5))
    await new Promise(setImmediate)
    expect(requests).toEqual([5])
    await vi.advanceTimersByTimeAsync(20)
    await Promise.all(created)
    expect(requests).toEqual([5, 1])
  })

  it.each([
    [6, undefined],
    [2, 2],
  ])(
    'sqs D3 has %i requests on their way at once with maxInFlight: %s, and no more',
    async (most, maxInFlight) => {
      const { backend, proxy, hold, roundTrip } = await sqs.open(
        maxInFlight === undefined ? {} : { maxInFlight },
      )
      const { reached, release } = hold(most)
      const created = backend.createMany(items(200))
      await reached
      await roundTrip()
      expect(proxy.sent).toHaveLength(most)
      release()
      await created
      expect([proxy.sent.length, proxy.maxConcurrent]).toEqual([20, most])
    },
  )
})

describe('entries that fail', () => {
  it('sqs D4 sends again only what failed, and resolves the others meanwhile', async () => {
    withoutPauses()
    const { backend, proxy, onSend, ids } = await sqs.open()
    onSend((_, number) => (number === 0 ? { entries: new Map([[3, internalError]]) } : undefined))
    await backend.createMany(items(10))
    expect(sizes(proxy)).toEqual([10, 1])
    expect(proxy.sent[1]?.entries[0]?.MessageBody).toBe('{"id":"3"}')
    expect(ids().sort()).toEqual(items(10).map(({ id }) => id))
  })

  it.each([
    internalError,
    ...throttles,
    { Code: 'KMS.ThrottlingException', SenderFault: true },
    { Code: 'InternalFailure', SenderFault: true },
    { Code: 'ServiceUnavailable', SenderFault: false },
    { Code: 'HeardOfNowhere', SenderFault: false },
  ])('sqs D4 tries $Code (SenderFault $SenderFault) again', async (fault) => {
    withoutPauses()
    const { backend, proxy, onSend, ids } = await sqs.open()
    onSend((_, number) => (number < 2 ? { entries: new Map([[0, fault]]) } : undefined))
    await backend.create({ id: '7' })
    expect([sizes(proxy), ids()]).toEqual([[1, 1, 1], ['7']])
  })

  it.each(['InvalidParameterValue', 'InvalidMessageContents', 'AccessDenied', 'HeardOfNowhere'])(
    'sqs D4 rejects that one create for %s, and does not try again',
    async (Code) => {
      const { backend, proxy, onSend, ids } = await sqs.open()
      onSend(() => ({ entries: new Map([[1, { Code, SenderFault: true }]]) }))
      const outcomes = await Promise.allSettled(items(3).map((item) => backend.create(item)))
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      const { reason } = outcomes[1] as PromiseRejectedResult
      expect(reason).toBeInstanceOf(SqsSendError)
      expect((reason as SqsSendError).code).toBe(Code)
      expect([sizes(proxy), ids()]).toEqual([[3], ['0', '2']])
    },
  )

  it('sqs D4 gives up after five retries, with the last code', async () => {
    withoutPauses()
    const { backend, proxy, onSend } = await sqs.open()
    onSend((_, number) => ({
      entries: new Map([[0, { Code: number < 5 ? 'InternalError' : 'OverLimit', SenderFault: true }]]),
    }))
    expect(await reasonOf(backend.create({ id: '7' }))).toMatchObject({ code: 'OverLimit' })
    expect(proxy.sent).toHaveLength(6)
  })

  it('sqs D4 sends again what the answer lists nowhere, and ignores ids that it did not send', async () => {
    withoutPauses()
    const { backend, proxy, onSend, ids } = await sqs.open()
    onSend((_, number) => ({
      ...(number === 0 && {
        entries: new Map([
          [0, 'lost'],
          [1, 'unlisted'],
        ] as const),
      }),
      alter: ({ Failed }) => Failed.push({ Id: 'of-nobody', Code: 'InternalError', SenderFault: false }),
    }))
    await backend.createMany(items(3))
    expect(sizes(proxy)).toEqual([3, 2])
    expect(ids().sort()).toEqual(['0', '1', '1', '2'])
  })

  it('sqs D4 rejects what the answer lists nowhere with onUnknown: reject', async () => {
    const { backend, proxy, onSend, url } = await sqs.open({ onUnknown: 'reject' })
    onSend(() => ({ entries: new Map([[0, 'unlisted']]) }))
    const error = await reasonOf(backend.create({ id: '7' }))
    expect(String(error)).toBe(`SqsSendError: SQS may have the message or not: Unknown; queue ${url}`)
    expect(proxy.sent).toHaveLength(1)
  })

  it('sqs D4 does not forget a message that pauses while others are sent', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.2)
    const { backend, proxy, onSend, ids } = await sqs.open()
    onSend((_, number) => (number === 0 ? { entries: new Map([[0, internalError]]) } : undefined))
    const pausing = backend.create({ id: 'pausing' })
    await backend.create({ id: 'taken' })
    // Answered for by the same request: the other one pauses now.
    await backend.create({ id: 'other' })
    await pausing
    expect(sizes(proxy)).toEqual([2, 1, 1])
    expect(ids()).toEqual(['taken', 'other', 'pausing'])
  })
})

describe('requests that fail', () => {
  it.each([
    ['KmsThrottled', 400],
    ['RequestThrottled', 400],
    ['ThrottlingException', 429],
    ['InternalFailure', 500],
    ['ServiceUnavailable', 503],
    ['HeardOfNowhere', 500],
    ['HeardOfNowhere', 429],
  ])('sqs D4 sends the messages of a request again for %s (%i)', async (code, status) => {
    withoutPauses()
    const { backend, proxy, onSend, ids } = await sqs.open()
    onSend((_, number) => (number === 0 ? { error: { code, status } } : undefined))
    await backend.createMany(items(3))
    expect([sizes(proxy), ids()]).toEqual([
      [3, 3],
      ['0', '1', '2'],
    ])
  })

  it.each(['QueueDoesNotExist', 'KmsAccessDenied', 'KmsDisabled', 'InvalidAddress', 'AccessDeniedException'])(
    'sqs D4 rejects the messages of that request alone for %s',
    async (code) => {
      const { backend, proxy, onSend, ids } = await sqs.open()
      onSend(({ entries }) =>
        entries[0]?.MessageBody === '{"id":"10"}' ? { error: { code, status: 400 } } : undefined,
      )
      const outcomes = await Promise.allSettled(items(30).map((item) => backend.create(item)))
      const rejected = outcomes.flatMap((outcome, index) =>
        outcome.status === 'rejected' ? [[index, (outcome.reason as SqsSendError).code]] : [],
      )
      expect(rejected).toEqual(Array.from({ length: 10 }, (_, index) => [10 + index, code]))
      expect([proxy.sent.length, ids().length]).toEqual([3, 20])
    },
  )

  it('sqs D4 learns a lower limit from BatchRequestTooLong, and is not told twice', async () => {
    const { backend, proxy, ids } = await sqs.open()
    proxy.limit = 262_144
    await backend.createMany(Array.from({ length: 10 }, (_, index) => itemOf(60_000, `a${index}`)))
    expect(sizes(proxy)).toEqual([10, 4, 4, 2])
    await backend.createMany(Array.from({ length: 20 }, (_, index) => itemOf(60_000, `b${index}`)))
    expect(proxy.faults['BatchRequestTooLong']).toBe(1)
    expect(new Set(ids()).size).toBe(30)
    expect(ids()).toHaveLength(30)
  })

  it('sqs D4 splits where BatchRequestTooLong tells no limit, and rejects what is too long alone', async () => {
    const { backend, onSend, ids } = await sqs.open()
    const error = { code: 'BatchRequestTooLong', status: 400 }
    onSend(({ bytes }) => (bytes > 1000 ? { error } : undefined))
    const large = reasonOf(backend.create(itemOf(1500, 'large')))
    await Promise.all(Array.from({ length: 19 }, (_, index) => backend.create(itemOf(150, `a${index}`))))
    expect(await large).toMatchObject({ code: 'BatchRequestTooLong' })
    expect(new Set(ids()).size).toBe(19)
  })

  it('sqs D4 splits also where the limit that it is told would allow the request', async () => {
    const { backend, onSend, ids } = await sqs.open()
    const message = 'Batch requests cannot be longer than 262144 bytes. You have sent 262145 bytes.'
    onSend(({ entries }) =>
      entries.length > 2 ? { error: { code: 'BatchRequestTooLong', status: 400, message } } : undefined,
    )
    await backend.createMany(items(5))
    expect(new Set(ids()).size).toBe(5)
  })

  it('sqs D4 keeps the lowest limit that it has learned, whatever the order of the answers', async () => {
    const { backend, proxy, onSend, ids } = await sqs.open()
    const [first, second] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const error = { code: 'BatchRequestTooLong', status: 400 }
    onSend(({ bytes }) => {
      if (bytes === 10_000) return { wait: first.promise, error }
      if (bytes === 1200) return { wait: second.promise, error }
      // The smaller one has come again: now the larger one is answered.
      first.resolve(undefined)
      return undefined
    })
    const created = Promise.all([
      ...Array.from({ length: 10 }, (_, index) => backend.create(itemOf(1000, `a${index}`))),
      ...Array.from({ length: 2 }, (_, index) => backend.create(itemOf(600, `b${index}`))),
    ])
    second.resolve(undefined)
    await created
    expect(proxy.sent.slice(2).filter(({ entries }) => entries.length > 1)).toEqual([])
    expect(ids()).toHaveLength(12)
  })

  it.each(['before', 'after'] as const)(
    'sqs D4 sends again when the connection broke %s the queue had taken the messages',
    async (reset) => {
      withoutPauses()
      const { backend, proxy, onSend, ids } = await sqs.open()
      onSend((_, number) => (number === 0 ? { reset } : undefined))
      await backend.createMany(items(2))
      expect(sizes(proxy)).toEqual([2, 2])
      expect(ids()).toEqual(reset === 'before' ? ['0', '1'] : ['0', '1', '0', '1'])
      expect([...proxy.untold]).toEqual(reset === 'before' ? [] : ['{"id":"0"}', '{"id":"1"}'])
    },
  )

  it('sqs D4 sends again what got an answer that cannot be read', async () => {
    withoutPauses()
    const { backend, onSend, ids } = await sqs.open()
    onSend((_, number) => ({ garbled: number === 0 }))
    await backend.create({ id: '7' })
    expect(ids()).toEqual(['7', '7'])
  })

  it.each(['before', 'after'] as const)(
    'sqs D4 rejects what may have arrived with onUnknown: reject, when the connection broke %s that',
    async (reset) => {
      const { backend, proxy, onSend, url } = await sqs.open({ onUnknown: 'reject' })
      onSend(({ entries }) => (entries[0]?.MessageBody === '{"id":"0"}' ? { reset } : undefined))
      const outcomes = await Promise.allSettled(items(20).map((item) => backend.create(item)))
      expect(outcomes.map(({ status }) => status)).toEqual([
        ...Array<string>(10).fill('rejected'),
        ...Array<string>(10).fill('fulfilled'),
      ])
      const { reason } = outcomes[0] as PromiseRejectedResult
      expect(String(reason)).toBe(`SqsSendError: SQS may have the message or not: ECONNRESET; queue ${url}`)
      expect(proxy.sent).toHaveLength(2)
    },
  )

  it('sqs D4 never sends again what the queue has with another checksum', async () => {
    const { backend, proxy, onSend, ids } = await sqs.open()
    onSend(() => ({
      alter: ({ Successful }) => Successful.forEach((one) => (one.MD5OfMessageBody = 'f'.repeat(32))),
    }))
    const error = await reasonOf(backend.create({ id: '7' }))
    expect(error).toMatchObject({
      code: 'InvalidChecksum',
      message: expect.stringContaining('SQS has the message'),
    })
    expect([proxy.sent.length, ids()]).toEqual([1, ['7']])
  })

  it.each([
    ['null', null],
    ['a string', 'no'],
    ['an error without a name', { message: 7, name: 7 }],
  ])('sqs D4 rejects for a client that throws %s', async (_, thrown) => {
    const client = { send: () => Promise.reject(thrown) }
    const backend = new SqsBackend(model({ name: 'https://sqs/queue', schema: z.string() }), { client })
    expect(await reasonOf(backend.create('a'))).toMatchObject({ code: 'Unknown', cause: thrown })
  })

  it('sqs D4 rejects for a client that gives nothing', async () => {
    withoutPauses()
    const send = vi.fn(async () => undefined)
    const backend = new SqsBackend(model({ name: 'https://sqs/queue', schema: z.string() }), {
      client: { send },
    })
    expect(await reasonOf(backend.create('a'))).toMatchObject({ code: 'Unknown' })
    expect(send).toHaveBeenCalledTimes(6)
  })

  it('sqs D4 createMany rejects when SQS has answered for all, and has sent the rest', async () => {
    const { backend, hold, ids } = await sqs.open()
    const { reached, release } = hold(1)
    let rejected: unknown
    const created = backend
      .createMany([{ id: 7 } as never, ...items(3)])
      .catch((error: unknown) => (rejected = error))
    const flushed = backend.flush()
    await reached
    expect(rejected).toBeUndefined()
    release()
    await flushed
    expect(ids()).toEqual(['0', '1', '2'])
    expect(await created).toBeInstanceOf(ValidationError)
  })
})
