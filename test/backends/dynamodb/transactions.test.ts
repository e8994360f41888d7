// The catalogue of transactions (D60). The embedded engine has none: what is sent is checked, and what is answered made.
import { InvalidDataError, TransactionError, model } from 'clearskies-middy'
import { DynamoDbBackend, transact } from 'clearskies-middy/backends/dynamodb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { recording } from '../../support/dynamodb-cases.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const definition = {
  key: ['group', 'id'],
  schema: z.object({
    group: z.string(),
    id: z.string(),
    text: z.string().optional(),
    count: z.number().optional(),
    rev: z.number().optional(),
  }),
} as const
const key = { group: 'g', id: 'a' }
const many = (count: number, text = 'x') =>
  Array.from({ length: count }, (_, index) => ({ group: 'g', id: String(index).padStart(3, '0'), text }))

describe('dynamodb D60: transactions', () => {
  const Thing = model({ name: 'things', ...definition })
  /** A service that answers so, since the embedded one has no transactions. */
  function answering(...answers: (Error | object)[]) {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { client, sent } = recording({
      send: async () => {
        const answer = answers.shift() ?? {}
        if (answer instanceof Error) throw answer
        return answer
      },
    })
    return { sent, backend: new DynamoDbBackend(Thing, { client, version: 'rev' }) }
  }
  const cancelled = (...codes: string[]) =>
    Object.assign(new Error('Transaction cancelled'), {
      name: 'TransactionCanceledException',
      CancellationReasons: codes.map((Code) => ({ Code })),
    })

  it('hold every kind of write, with its conditions', async () => {
    const { backend, sent } = answering()
    const { prepare } = backend
    await transact([
      prepare.create({ ...key, id: 'create' }),
      prepare.put({ ...key, id: 'new' }),
      prepare.put({ ...key, id: 'put', rev: 3 }),
      prepare.update(
        { ...key, id: 'update' },
        { text: 'x' },
        { add: { count: -1 }, when: (query) => query.where('count', '>', 0) },
      ),
      prepare.delete({ ...key, id: 'delete' }, { expect: 2 }),
      prepare.check({ ...key, id: 'check' }),
    ])
    expect(sent.map(({ name }) => name)).toEqual(['TransactWriteItems'])
    const { TransactItems: writes, ClientRequestToken: token } = sent[0]?.input as {
      TransactItems: Record<
        string,
        { ConditionExpression: string; Item?: { rev: object }; UpdateExpression?: string }
      >[]
      ClientRequestToken: string
    }
    expect(writes.map((write) => Object.keys(write)[0])).toEqual([
      'Put',
      'Put',
      'Put',
      'Update',
      'Delete',
      'ConditionCheck',
    ])
    expect(writes.slice(0, 3).map((write) => write['Put']?.Item?.rev)).toEqual([
      { N: '1' },
      { N: '1' },
      { N: '4' },
    ])
    expect(writes.map((write) => Object.values(write)[0]?.ConditionExpression)).toEqual([
      'attribute_not_exists(#0)',
      'attribute_not_exists(#0)',
      '#0 = :0',
      'attribute_exists(#3) AND #1 > :3',
      '#0 = :0',
      'attribute_exists(#0)',
    ])
    expect(writes[3]?.['Update']?.UpdateExpression).toBe('SET #0 = :0 ADD #1 :1, #2 :2')
    expect(writes[3]?.['Update']).not.toHaveProperty('ReturnValues')
    expect(token).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('that are too large, or write an item twice, are refused and never split', async () => {
    const { backend, sent } = answering()
    const creates = (items: readonly { group: string; id: string }[]) =>
      items.map((item) => backend.prepare.create(item))
    await expect(transact(creates(many(101)))).rejects.toThrow(/at most 100 writes.*101/)
    await expect(transact(creates(many(11, 'x'.repeat(390_000))))).rejects.toThrow(InvalidDataError)
    await expect(transact([...creates([key]), backend.prepare.delete(key)])).rejects.toThrow(/twice/)
    await transact([])
    expect(sent).toEqual([])
  })

  it('tell which write stood against them', async () => {
    const { backend, sent } = answering(
      cancelled('None', 'ConditionalCheckFailed', 'None', 'TransactionConflict'),
    )
    const error: unknown = await transact(many(4).map((item) => backend.prepare.create(item))).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(TransactionError)
    expect(error).toMatchObject({
      statusCode: 409,
      reasons: [
        { index: 1, code: 'ConditionalCheckFailed' },
        { index: 3, code: 'TransactionConflict' },
      ],
    })
    expect(sent).toHaveLength(1)
  })

  it('that only met another are the same transaction again', async () => {
    const { backend, sent } = answering(
      cancelled('TransactionConflict', 'None'),
      cancelled('None', 'TransactionConflict'),
    )
    await transact(many(2).map((item) => backend.prepare.create(item)))
    expect(sent).toHaveLength(3)
    expect(new Set(sent.map(({ input }) => input['ClientRequestToken'])).size).toBe(1)
  })
})
