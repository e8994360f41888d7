// The catalogue of record cases, C33 to C37 and C39: what has to wait for what.
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { SkippedRecordError } from 'clearskies-middy/errors'
import { sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../support/seeded-random.ts'
import { failing, fifoArn, grouped, turns, work } from '../support/sqs-work.ts'

const batch = grouped('a1', 'b1', 'a2', 'b2', 'c1', 'a3')
const fifo = { queueArn: fifoArn }

describe('on a FIFO queue', () => {
  it('sqs C33 by group, the rest of the group is not run, and the other groups are', async () => {
    for (const options of [{}, { fifo: 'auto' }, { fifo: 'group' }] as const) {
      const { failed, called } = await work(batch, { fn: failing('a2'), options, ...fifo })
      expect(failed).toEqual(['a2', 'a3'])
      expect(called.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1'])
    }
  })

  it('sqs C33 of records of several queues, those of FIFO queues wait for their group, and no others', async () => {
    const { Records } = sqsEvent(grouped('s1', 'a1', 'a2', 's2', 'a3'), fifo)
    for (const record of Records)
      if (record.messageId.startsWith('s'))
        Object.assign(record, { eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:orders' })
    const { failed, called } = await work({ Records }, { fn: failing('s1', 'a1') })
    expect([failed, called.toSorted()]).toEqual([
      ['s1', 'a1', 'a2', 'a3'],
      ['a1', 's1', 's2'],
    ])
  })

  it('sqs C33 records without a group wait for each other, as one group', async () => {
    const { Records } = sqsEvent(grouped('a1', 'b1', 'c1'), fifo)
    for (const record of Records) Object.assign(record, { attributes: null })
    const { failed, called } = await work({ Records }, { fn: failing('b1') })
    expect([failed, called]).toEqual([
      ['b1', 'c1'],
      ['a1', 'b1'],
    ])
  })

  it('sqs C33 each group ends for itself', async () => {
    const { failed, called } = await work(batch, { fn: failing('a1', 'b2'), ...fifo })
    expect([failed, called.toSorted()]).toEqual([
      ['a1', 'a2', 'b2', 'a3'],
      ['a1', 'b1', 'b2', 'c1'],
    ])
  })

  it('sqs C34 by batch, nothing behind the failure is run', async () => {
    const options = { fifo: 'batch' } as const
    const { failed, called } = await work(batch, { fn: failing('a2'), options, ...fifo })
    expect([failed, called]).toEqual([
      ['a2', 'b2', 'c1', 'a3'],
      ['a1', 'b1', 'a2'],
    ])
  })

  it('sqs C35 a malformed body or a status stops its group, too', async () => {
    const malformed = batch.map((message) =>
      message.messageId === 'a2' ? { ...message, body: '{oops' } : message,
    )
    expect((await work(malformed, fifo)).failed).toEqual(['a2', 'a3'])
    const { failed } = await work(batch, {
      fn: ({ messageId }) => ({ statusCode: messageId === 'b1' ? 409 : 200 }),
      ...fifo,
    })
    expect(failed).toEqual(['b1', 'b2'])
  })

  it('sqs C35 the order cannot be lost by accident: the name of the queue decides', async () => {
    const { failed, called } = await work(batch, {
      fn: async (request) => {
        await turns(request.messageId === 'a1' ? 50 : 1)
        failing('a1')(request)
      },
      options: { concurrency: 100 },
      ...fifo,
    })
    expect(failed).toEqual(['a1', 'a2', 'a3'])
    expect(called).not.toContain('a2')
  })

  it('sqs C35 records without a group are one group', async () => {
    const bare = ['x', 'y', 'z'].map((messageId) => ({ messageId, body: 1 }))
    expect(await work(bare, { fn: failing('y'), ...fifo })).toMatchObject({
      failed: ['y', 'z'],
      called: ['x', 'y'],
    })
  })

  it('sqs C36 groups of a standard queue are no order', async () => {
    const { failed, called } = await work(batch, { fn: failing('a1', 'b1') })
    expect([failed, called]).toEqual([
      ['a1', 'b1'],
      ['a1', 'b1', 'a2', 'b2', 'c1', 'a3'],
    ])
  })

  it('sqs C36 groups of a standard queue run at once', async () => {
    const all = Promise.withResolvers<undefined>()
    let running = 0
    const fn = () => {
      if (++running === batch.length) all.resolve(undefined)
      return all.promise
    }
    expect((await work(batch, { fn })).failed).toEqual([])
  })

  it('sqs C37 groups run beside each other, and one after the other within', async () => {
    const groups = ['A', 'B', 'C', 'D', 'E']
    const ids = Array.from(
      { length: 40 },
      (_, index) => `${groups[index % 5]}${String(index).padStart(2, '0')}`,
    )
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed)
      const limit = 1 + Math.floor(random() * 6)
      const running = new Map<string | undefined, number>()
      const order = new Map<string, string[]>(groups.map((group) => [group, []]))
      let most = 0
      const fn = async ({ groupId = '', messageId }: SqsRequest) => {
        running.set(groupId, (running.get(groupId) ?? 0) + 1)
        order.get(groupId)?.push(messageId)
        const counts = [...running.values()]
        most = Math.max(most, counts.filter((count) => count > 0).length)
        expect(Math.max(...counts)).toBe(1)
        await turns(Math.floor(random() * 8))
        running.set(groupId, 0)
      }
      const { failed } = await work(grouped(...ids), { fn, options: { concurrency: limit }, ...fifo })
      expect([failed, most]).toEqual([[], Math.min(limit, 5)])
      for (const done of order.values()) expect(done).toEqual(done.toSorted())
    }
  })

  it('sqs C39 what was not run is told apart from what failed', async () => {
    const failures: unknown[] = []
    const skips: string[] = []
    const { logger } = await work(batch, {
      fn: failing('a2', 'b2'),
      options: {
        onFailure: (error, { messageId }) => failures.push([messageId, error]),
        onSkip: ({ messageId }) => skips.push(messageId),
      },
      ...fifo,
    })
    expect(failures.toSorted()).toEqual([
      ['a2', new Error('a2 fails')],
      ['b2', new Error('b2 fails')],
    ])
    expect(skips).toEqual(['a3'])
    const skipped = logger.errors.find(({ message }) => message === 'Record a3 failed')?.details
    expect(skipped).toBeInstanceOf(SkippedRecordError)
    expect(skipped).toMatchObject({ failedMessageId: 'a2' })
  })
})
