import type { SqsSendError } from 'clearskies-middy'
import { model } from 'clearskies-middy'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import middy from '@middy/core'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs as sqsSource } from 'clearskies-middy/normalizers/sqs'
import { invoke, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type EntryFault, internalError } from '../../support/sqs-faults.ts'
import { type Item, items, reasonOf, useFaultySqs, withoutPauses } from '../../support/sqs-sending.ts'
import type { SeenRequest } from '../../support/sqs-faults.ts'

const sqs = useFaultySqs()
const fifo = { fifo: true }

const groupsOf = ({ entries }: SeenRequest) => entries.map(({ MessageGroupId }) => MessageGroupId)
const idsOf = ({ entries }: SeenRequest) =>
  entries.map(({ MessageBody = '' }) => (JSON.parse(MessageBody) as Item).id)
const codeOf = (outcome: PromiseSettledResult<unknown>) =>
  outcome.status === 'fulfilled' ? 'sent' : (outcome.reason as SqsSendError).code
/** A schema that checks as it is told. */
const schemaOf = (
  validate: (item: Item) => StandardSchemaV1.Result<Item> | Promise<StandardSchemaV1.Result<Item>>,
): StandardSchemaV1<Item> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => validate(value as Item) },
})
const invalid = { Code: 'InvalidMessageContents', SenderFault: true } as const

describe('the order of a FIFO group', () => {
  it('sqs D5.1 is that of the calls', async () => {
    const { backend, ids } = await sqs.open({}, fifo)
    const groups = ['a', 'b', 'c']
    const all = items(300).map((item, index) => ({ ...item, group: groups[index % 3] as string }))
    await Promise.all(all.map((item) => backend.create(item)))
    const sent = ids()
    for (const rest of [0, 1, 2]) {
      expect(sent.filter((id) => Number(id) % 3 === rest)).toEqual(
        all.filter((_, index) => index % 3 === rest).map(({ id }) => id),
      )
    }
  })

  it('sqs D5.1 is that of the calls also where the schema takes its time, or fails', async () => {
    const { url, client, ids } = await sqs.open({}, fifo)
    const gates = items(6).map(() => Promise.withResolvers<undefined>())
    const slow = schemaOf(async ({ id }) => {
      await gates[Number(id)]?.promise
      if (id === '1') throw new Error('The check itself failed')
      return id === '3' ? { issues: [{ message: 'no' }] } : { value: { id } }
    })
    const backend = new SqsBackend(model({ name: url, schema: slow }), { client, groupId: () => 'a' })
    const created = Promise.allSettled(items(6).map((item) => backend.create(item)))
    for (const gate of gates.toReversed()) {
      gate.resolve(undefined)
      await new Promise(setImmediate)
    }
    expect((await created).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect(ids()).toEqual(['0', '2', '4', '5'])
  })

  it('sqs D5.1 is that of the calls where only some of the data takes time to check', async () => {
    const { url, client, ids } = await sqs.open({}, fifo)
    const gate = Promise.withResolvers<undefined>()
    const mixed = schemaOf((item) =>
      item.id === 'slow' ? gate.promise.then(() => ({ value: item })) : { value: item },
    )
    const backend = new SqsBackend(model({ name: url, schema: mixed }), { client, groupId: () => 'a' })
    const created = ['before', 'slow', 'behind'].map((id) => backend.create({ id }))
    await created[0]
    gate.resolve(undefined)
    await Promise.all(created)
    await backend.create({ id: 'later' })
    expect(ids()).toEqual(['before', 'slow', 'behind', 'later'])
  })

  it('sqs D5.1 is that of the calls as long as any check takes its time', async () => {
    const { url, client, ids } = await sqs.open({}, fifo)
    const gates = items(2).map(() => Promise.withResolvers<undefined>())
    const slow = schemaOf(
      (item) => gates[Number(item.id)]?.promise.then(() => ({ value: item })) ?? { value: item },
    )
    const backend = new SqsBackend(model({ name: url, schema: slow }), { client, groupId: () => 'a' })
    const created = items(2).map((item) => backend.create(item))
    gates[0]?.resolve(undefined)
    await created[0]
    created.push(backend.create({ id: 'behind' }))
    gates[1]?.resolve(undefined)
    await Promise.all(created)
    expect(ids()).toEqual(['0', '1', 'behind'])
  })

  it('sqs D5.2 lets one request of a group be on its way, and requests of other groups beside it', async () => {
    const { backend, proxy, hold, roundTrip, ids } = await sqs.open({}, fifo)
    const { reached, release } = hold(3)
    const created = ['a', 'b', 'c'].map((group) => backend.createMany(items(25, { group })))
    await reached
    await roundTrip()
    const groups = proxy.sent.map((request) => [...new Set(groupsOf(request))].join())
    expect(groups.sort()).toEqual(['a', 'b', 'c'])
    release()
    await Promise.all(created)
    expect(ids()).toHaveLength(75)
  })

  it('sqs D5.2 does not keep a group waiting for another one’s retry', async () => {
    const { backend, onSend, ids } = await sqs.open({}, fifo)
    onSend((request) =>
      groupsOf(request).includes('a') ? { error: { code: 'KmsThrottled', status: 400 } } : {},
    )
    const failing = reasonOf(backend.createMany(items(10, { group: 'a' })))
    for (const item of items(5, { group: 'b' })) await backend.create(item)
    expect(ids()).toHaveLength(5)
    withoutPauses()
    expect(await failing).toMatchObject({ code: 'KmsThrottled' })
  })

  it('sqs D5.3 ordering: strict puts at most one message of a group into a request', async () => {
    const { backend, proxy, ids } = await sqs.open({ ordering: 'strict' }, fifo)
    const all = items(60).map((item, index) => ({ ...item, group: `g${index % 12}` }))
    await Promise.all(all.map((item) => backend.create(item)))
    for (const request of proxy.sent) expect(new Set(groupsOf(request)).size).toBe(request.entries.length)
    expect(proxy.sent.some(({ entries }) => entries.length === 10)).toBe(true)
    expect(ids()).toHaveLength(60)
  })

  it('sqs D5.3 ordering: strict keeps the order when messages fail for the moment', async () => {
    withoutPauses()
    const { backend, onSend, ids, logger } = await sqs.open({ ordering: 'strict' }, fifo)
    onSend((_, number) => (number % 3 === 1 ? { entries: new Map([[0, internalError]]) } : undefined))
    await backend.createMany(items(20))
    expect(ids()).toEqual(items(20).map(({ id }) => id))
    expect(logger.warnings).toEqual([])
  })

  it('sqs D5.3 ordering: batch sends several messages of a group at once, and tells the logger of disorder', async () => {
    withoutPauses()
    const { backend, proxy, onSend, ids, logger } = await sqs.open({}, fifo)
    onSend((_, number) => (number === 0 ? { entries: new Map([[1, internalError]]) } : undefined))
    await backend.createMany([...items(3), { id: 'other', group: 'b' }])
    expect(proxy.sent.map(idsOf)).toEqual([['0', '1', '2', 'other'], ['1']])
    expect(ids().filter((id) => id !== 'other')).toEqual(['0', '2', '1'])
    expect(logger.warnings.map(({ message }) => message)).toEqual([
      'A message of group "a" failed and was sent again behind a later one',
    ])
  })

  it('sqs D5.4 what failed for the moment goes in front of what waits', async () => {
    withoutPauses()
    const { backend, proxy, onSend } = await sqs.open({}, fifo)
    onSend((_, number) =>
      number === 0 ? { entries: new Map([8, 9].map((index) => [index, internalError])) } : undefined,
    )
    await backend.createMany(items(15))
    expect(proxy.sent.map(idsOf)[1]).toEqual(['8', '9', '10', '11', '12', '13', '14'])
  })
})

describe('a message of a FIFO group that SQS will never take', () => {
  it('sqs D5.4 onGroupError: stop rejects the waiting rest of its group, and later creates go again', async () => {
    const { backend, onSend, ids } = await sqs.open({}, fifo)
    const gate = Promise.withResolvers<undefined>()
    const reached = Promise.withResolvers<undefined>()
    onSend((request) => {
      const [first] = idsOf(request)
      if (first === '0') reached.resolve(undefined)
      if (first === '0') return { wait: gate.promise }
      return first === '10' ? { entries: new Map([[0, invalid]]) } : undefined
    })
    const created = items(30).map((item) => backend.create(item))
    const other = backend.create({ id: 'other', group: 'b' })
    await reached.promise
    const late = backend.create({ id: 'late' })
    gate.resolve(undefined)
    const first = await Promise.allSettled(created)
    expect(first.slice(0, 10).map(codeOf)).toEqual(Array<string>(10).fill('sent'))
    await other
    expect(await Promise.allSettled([...created.slice(10), late]).then((all) => all.map(codeOf))).toEqual([
      'InvalidMessageContents',
      ...Array<string>(9).fill('sent'),
      ...Array<string>(11).fill('GroupStopped'),
    ])
    await backend.create({ id: 'again' })
    expect(ids().filter((id) => id !== 'other')).toEqual([
      ...items(10).map(({ id }) => id),
      ...items(20)
        .map(({ id }) => id)
        .slice(11),
      'again',
    ])
  })

  it('sqs D5.4 onGroupError: stop rejects also what the same request would have to send again', async () => {
    const { backend, proxy, onSend, ids } = await sqs.open({}, fifo)
    onSend((_, number) =>
      number === 0
        ? {
            entries: new Map<number, EntryFault>([
              [1, invalid],
              [2, internalError],
            ]),
          }
        : undefined,
    )
    const outcomes = await Promise.allSettled(items(4).map((item) => backend.create(item)))
    expect(outcomes.map(codeOf)).toEqual(['sent', 'InvalidMessageContents', 'GroupStopped', 'sent'])
    const { cause } = (outcomes[2] as PromiseRejectedResult).reason as SqsSendError
    expect(cause).toBe((outcomes[1] as PromiseRejectedResult).reason)
    expect([proxy.sent.length, ids()]).toEqual([1, ['0', '3']])
  })

  it('sqs D5.4 onGroupError: stop sends again what stands in front of it', async () => {
    withoutPauses()
    const { backend, onSend, ids } = await sqs.open({}, fifo)
    onSend((_, number) =>
      number === 0
        ? {
            entries: new Map<number, EntryFault>([
              [0, internalError],
              [1, invalid],
            ]),
          }
        : undefined,
    )
    const outcomes = await Promise.allSettled(items(12).map((item) => backend.create(item)))
    expect(outcomes.map(codeOf).slice(0, 2)).toEqual(['sent', 'InvalidMessageContents'])
    expect(outcomes.map(codeOf).slice(10)).toEqual(['GroupStopped', 'GroupStopped'])
    expect(ids().at(-1)).toBe('0')
  })

  it('sqs D5.4 onGroupError: stop leaves a group alone whose message the queue has after all', async () => {
    const { backend, onSend, ids } = await sqs.open({}, fifo)
    onSend((_, number) =>
      number === 0
        ? { alter: ({ Successful }) => Successful.forEach((one) => (one.MD5OfMessageBody = 'f'.repeat(32))) }
        : undefined,
    )
    const outcomes = await Promise.allSettled(items(12).map((item) => backend.create(item)))
    expect(outcomes.map(codeOf)).toEqual([...Array<string>(10).fill('InvalidChecksum'), 'sent', 'sent'])
    expect(ids()).toEqual(items(12).map(({ id }) => id))
  })

  it('sqs D5.4 onGroupError: continue sends the rest', async () => {
    const { backend, onSend, ids } = await sqs.open({ onGroupError: 'continue' }, fifo)
    onSend((_, number) => (number === 0 ? { entries: new Map([[0, invalid]]) } : undefined))
    const outcomes = await Promise.allSettled(items(15).map((item) => backend.create(item)))
    expect(outcomes.map(codeOf)).toEqual(['InvalidMessageContents', ...Array<string>(14).fill('sent')])
    expect(ids()).toEqual(
      items(15)
        .map(({ id }) => id)
        .slice(1),
    )
  })
})

describe('deduplication', () => {
  it('sqs D5.5 sends an id of its own with each message, and the same one again', async () => {
    withoutPauses()
    const { backend, proxy, onSend, ids } = await sqs.open({}, fifo)
    onSend((_, number) =>
      number === 0
        ? { entries: new Map([[0, internalError]]) }
        : number === 1
          ? { reset: 'after' }
          : undefined,
    )
    await backend.createMany([{ id: 'same' }, { id: 'same' }])
    const sent = proxy.sent.flatMap(({ entries }) => entries.map((entry) => entry.MessageDeduplicationId))
    expect(sent).toHaveLength(4)
    expect(sent[2]).toBe(sent[0])
    expect(sent[3]).toBe(sent[0])
    expect(sent[1]).not.toBe(sent[0])
    expect(ids()).toEqual(['same', 'same'])
  })

  it('sqs D5.5 delivers nothing twice when connections break', async () => {
    withoutPauses()
    const { backend, proxy, onSend, ids } = await sqs.open(
      { ordering: 'strict' },
      { ...fifo, maxAttempts: 3 },
    )
    onSend((_, number) => (number % 2 === 0 ? { reset: 'after' } : undefined))
    await backend.createMany(items(20))
    expect(ids()).toEqual(items(20).map(({ id }) => id))
    expect(proxy.untold.size).toBe(20)
  })

  it('sqs D5.5 leaves the id to a content-based queue where the option gives none', async () => {
    const { backend, proxy, ids } = await sqs.open(
      { deduplicationId: () => undefined },
      { ...fifo, attributes: { ContentBasedDeduplication: 'true' } },
    )
    await backend.create({ id: '7' })
    await backend.create({ id: '7' })
    expect(proxy.sent[0]?.entries[0]).not.toHaveProperty('MessageDeduplicationId')
    expect(ids()).toEqual(['7'])
  })

  it('sqs D5.5 warns of a message that the queue took for another one of the same request', async () => {
    const { backend, logger, ids } = await sqs.open({ deduplicationId: ({ id }) => id }, fifo)
    await backend.createMany([{ id: '7' }, { id: '8' }, { id: '7' }])
    expect(ids()).toEqual(['7', '8'])
    expect(logger.warnings.map(({ message }) => message)).toEqual([
      'A message of group "a" was dropped as the duplicate of one sent with it',
    ])
  })

  it('sqs D5.5 tells a record’s messages by their origin, so that a record that comes again sends nothing twice', async () => {
    const { backend, proxy, ids } = await sqs.open(
      { deduplicationId: (_, origin) => `${origin?.messageId}-${origin?.ordinal}` },
      fifo,
    )
    const handler = middy()
      .use(sqsSource())
      .handler(
        eachRecord(async ({ data }) => {
          const { id } = data as Item
          await backend.create({ id: `${id}-first` })
          await backend.create({ id: `${id}-second` })
        }),
      )
    const event = sqsEvent([
      { messageId: 'm1', body: { id: 'x' } },
      { messageId: 'm2', body: { id: 'y' } },
    ])
    await invoke(handler, event)
    await invoke(handler, event)
    const sent = proxy.sent.flatMap(({ entries }) => entries.map((entry) => entry.MessageDeduplicationId))
    expect(sent).toHaveLength(8)
    expect(new Set(sent)).toEqual(new Set(['m1-0', 'm1-1', 'm2-0', 'm2-1']))
    expect(ids().sort()).toEqual(['x-first', 'x-second', 'y-first', 'y-second'])
  })

  it('sqs D5.5 has no origin outside records', async () => {
    const origins: unknown[] = []
    const { backend } = await sqs.open(
      { deduplicationId: ({ id }, origin) => (origins.push(origin), id) },
      fifo,
    )
    await backend.create({ id: '7' })
    expect(origins).toEqual([undefined])
  })
})

describe('groups on a standard queue', () => {
  it('sqs D5.6 are sent, without deduplication ids and without order', async () => {
    const { url, client, proxy, hold } = await sqs.open()
    const backend = new SqsBackend(model({ name: url, schema: z.object({ id: z.string() }) }), {
      client,
      groupId: () => 'a',
      deduplicationId: () => 'same',
    })
    const { reached, release } = hold(3)
    const created = backend.createMany(items(30))
    await reached
    release()
    await created
    expect(groupsOf(proxy.sent[0] as SeenRequest)).toEqual(Array<string>(10).fill('a'))
    expect(proxy.sent[0]?.entries[0]).not.toHaveProperty('MessageDeduplicationId')
  })
})
