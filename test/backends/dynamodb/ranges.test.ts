// What several conditions on one column of a key come to: the key condition that is sent, and what is checked here.
import { TypeMismatchError, model } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const table = (key: z.ZodType, name: string) =>
  new DynamoDbBackend(
    model({
      name,
      key: ['id', 'sk'],
      indexes: { by: { partition: 'cat', sort: 'sk' } },
      schema: z.object({
        id: z.string(),
        sk: key,
        cat: z.string().optional(),
      }),
    }),
    { client: { send: () => Promise.reject(new Error('Nothing is to be sent')) } },
  )

const numbers = table(z.number(), 'numbers')
const texts = table(z.string(), 'texts')
const bytes = table(z.instanceof(Uint8Array), 'bytes')

type Said = readonly [operator: string, value?: unknown]

/** How conditions on the sort key are read: the key condition on it, and the operators that are checked here. */
function read(
  things: typeof texts,
  conditions: readonly Said[],
  partition: 'id' | 'cat' = 'id',
): [operation: string, key: string, check: string[]] {
  let query = things.where(partition, '=', 'A')
  for (const [operator, value] of conditions) query = query.where('sk', operator as '=', value as never)
  const { plan, requests } = query.explain() as unknown as {
    plan: { operation: string; check?: { operator: string; value?: unknown }[] }
    requests: {
      KeyConditionExpression?: string
      Key?: { sk: Record<string, unknown> }
      RequestItems?: Record<string, { Keys: { sk: Record<string, unknown> }[] }>
      ExpressionAttributeNames?: Record<string, string>
      ExpressionAttributeValues?: Record<string, Record<string, unknown>>
    }[]
  }
  const [{ KeyConditionExpression = '', Key, RequestItems = {}, ...aliases } = {}] = requests
  const shown = (value: unknown): string =>
    value instanceof Uint8Array ? `[${value.join()}]` : String(value)
  const key = KeyConditionExpression.replace(/#\d+/g, (alias) =>
    String(aliases.ExpressionAttributeNames?.[alias]),
  )
    .replace(/:\d+/g, (alias) => shown(Object.values(aliases.ExpressionAttributeValues?.[alias] ?? {})[0]))
    .replace(/^\w+ = A(?: AND )?/, '')
  const batched = Object.values(RequestItems).flatMap(({ Keys }) => Keys)
  const keys = [Key ?? [], batched]
    .flat()
    .map(({ sk }) => shown(Object.values(sk)[0]))
    .join(' or ')
  return [
    plan.operation,
    key || keys,
    (plan.check ?? []).map(({ operator, value }) =>
      value === undefined ? operator : `${operator} ${shown(value)}`,
    ),
  ]
}

describe('numbers', () => {
  it.each<[Said[], string, string[]]>([
    [[['=', 5]], 'sk = 5', []],
    [
      [
        ['>', 3],
        ['=', 5],
      ],
      'sk = 5',
      ['> 3'],
    ],
    [
      [
        ['=', 5],
        ['=', 6],
      ],
      'sk = 5',
      ['= 6'],
    ],
    [[['<', 5]], 'sk < 5', []],
    [[['<=', 5]], 'sk <= 5', []],
    [[['>', 5]], 'sk > 5', []],
    [[['>=', 5]], 'sk >= 5', []],
    [[['between', [1, 5]]], 'sk BETWEEN 1 AND 5', []],
    [[['between', [5, 5]]], 'sk BETWEEN 5 AND 5', []],
    [
      [
        ['>=', 1],
        ['<=', 5],
      ],
      'sk BETWEEN 1 AND 5',
      [],
    ],
    [
      [
        ['<=', 5],
        ['>=', 1],
      ],
      'sk BETWEEN 1 AND 5',
      [],
    ],
    [
      [
        ['>', 1],
        ['<', 5],
      ],
      'sk BETWEEN 1 AND 5',
      ['> 1', '< 5'],
    ],
    [
      [
        ['>=', 1],
        ['<', 5],
      ],
      'sk BETWEEN 1 AND 5',
      ['< 5'],
    ],
    [
      [
        ['>', 1],
        ['<=', 5],
      ],
      'sk BETWEEN 1 AND 5',
      ['> 1'],
    ],
    [
      [
        ['>=', 5],
        ['<=', 5],
      ],
      'sk BETWEEN 5 AND 5',
      [],
    ],
    [
      [
        ['>', 3],
        ['>', 5],
      ],
      'sk > 5',
      ['> 3'],
    ],
    [
      [
        ['>', 5],
        ['>', 3],
      ],
      'sk > 5',
      ['> 3'],
    ],
    [
      [
        ['>', 5],
        ['>=', 5],
      ],
      'sk > 5',
      ['>= 5'],
    ],
    [
      [
        ['>=', 5],
        ['>', 5],
      ],
      'sk > 5',
      ['>= 5'],
    ],
    [
      [
        ['>=', 9],
        ['>', 5],
      ],
      'sk >= 9',
      ['> 5'],
    ],
    [
      [
        ['<', 3],
        ['<', 5],
      ],
      'sk < 3',
      ['< 5'],
    ],
    [
      [
        ['<', 5],
        ['<', 3],
      ],
      'sk < 3',
      ['< 5'],
    ],
    [
      [
        ['<=', 5],
        ['<', 5],
      ],
      'sk < 5',
      ['<= 5'],
    ],
    [
      [
        ['<', 5],
        ['<=', 5],
      ],
      'sk < 5',
      ['<= 5'],
    ],
    [
      [
        ['between', [1, 5]],
        ['>', 2],
      ],
      'sk BETWEEN 2 AND 5',
      ['> 2'],
    ],
    [
      [
        ['between', [1, 5]],
        ['>', 0],
      ],
      'sk BETWEEN 1 AND 5',
      ['> 0'],
    ],
    [
      [
        ['between', [1, 5]],
        ['>', 1],
      ],
      'sk BETWEEN 1 AND 5',
      ['> 1'],
    ],
    [
      [
        ['between', [1, 5]],
        ['between', [3, 9]],
      ],
      'sk BETWEEN 3 AND 5',
      [],
    ],
    [
      [
        ['between', [1, 9]],
        ['between', [3, 5]],
      ],
      'sk BETWEEN 3 AND 5',
      [],
    ],
    [[['in', [1, 5, 3]]], 'sk BETWEEN 1 AND 5', ['in 1,5,3']],
    [
      [
        ['in', [10, 9]],
        ['>', 1],
      ],
      'sk BETWEEN 9 AND 10',
      ['in 10,9', '> 1'],
    ],
    [
      [
        ['>', 3],
        ['!=', 5],
      ],
      'sk > 3',
      ['!= 5'],
    ],
    [[['!=', 5]], '', ['!= 5']],
    [
      [
        ['!=', 5],
        ['!=', 6],
      ],
      '',
      ['!= 5', '!= 6'],
    ],
    [
      [
        ['not-in', [5, 6]],
        ['<', 9],
        ['>', 1],
      ],
      'sk BETWEEN 1 AND 9',
      ['not-in 5,6', '< 9', '> 1'],
    ],
    [[['is-not-null']], '', ['is-not-null']],
  ])('%j is %j, checked here: %j', (conditions, key, check) => {
    // A list of whole keys would be read by key, so the partition is that of an index.
    expect(read(numbers, conditions, 'cat')).toEqual(['Query', key, check])
  })

  it.each<[Said[]]>([
    [
      [
        ['>', 5],
        ['<', 3],
      ],
    ],
    [
      [
        ['>', 5],
        ['<', 5],
      ],
    ],
    [
      [
        ['>=', 5],
        ['<', 5],
      ],
    ],
    [
      [
        ['>', 5],
        ['<=', 5],
      ],
    ],
    [[['between', [5, 1]]]],
    [
      [
        ['between', [1, 3]],
        ['>', 3],
      ],
    ],
    [[['in', []]]],
  ])('%j can hold for none, and nothing is sent', (conditions) => {
    expect(read(numbers, conditions)).toEqual(['None', '', []])
  })

  it('no beginning is asked of a number', () => {
    expect(() => read(numbers, [['begins-with', '5']])).toThrow(TypeMismatchError)
    expect(() => read(numbers, [['begins-with', '5']])).toThrow('being a number')
  })
})

describe('texts', () => {
  it.each<[Said[], string, string[]]>([
    [[['begins-with', 'a']], 'begins_with(sk, a)', []],
    [[['like', 'a%']], 'begins_with(sk, a)', []],
    [
      [
        ['begins-with', 'a'],
        ['>', 'ab'],
      ],
      'begins_with(sk, a)',
      ['> ab'],
    ],
    [
      [
        ['<', 'b'],
        ['begins-with', 'a'],
      ],
      'begins_with(sk, a)',
      ['< b'],
    ],
    [
      [
        ['begins-with', 'a'],
        ['begins-with', 'ab'],
      ],
      'begins_with(sk, a)',
      ['begins-with ab'],
    ],
    [
      [
        ['begins-with', 'a'],
        ['>', 'b'],
        ['<', 'c'],
      ],
      'sk BETWEEN b AND c',
      ['begins-with a', '> b', '< c'],
    ],
    [[['contains', 'a']], '', ['contains a']],
    [[['like', '%a%']], '', ['contains a']],
    [[['>', '']], '', ['is-not-null']],
    [[['>=', '']], '', ['is-not-null']],
    [[['begins-with', '']], '', ['is-not-null']],
    [[['between', ['', 'b']]], 'sk <= b', []],
    [[['!=', '']], '', ['!= ']],
  ])('%j is %j, checked here: %j', (conditions, key, check) => {
    expect(read(texts, conditions)).toEqual(['Query', key, check])
  })

  it.each<[Said[], string, string, string[]]>([
    [[['=', 'a']], 'GetItem', 'a', []],
    [[['like', 'a']], 'GetItem', 'a', []],
    [
      [
        ['=', 'a'],
        ['!=', 'b'],
      ],
      'GetItem',
      'a',
      ['!= b'],
    ],
    [
      [
        ['=', 'a'],
        ['=', 'b'],
      ],
      'GetItem',
      'a',
      ['= b'],
    ],
    [[['in', ['a']]], 'GetItem', 'a', []],
    [[['in', ['a', 'a']]], 'GetItem', 'a', []],
    [[['in', ['', 'a']]], 'GetItem', 'a', []],
    [[['in', ['', 'b', 'a']]], 'BatchGetItem', 'b or a', []],
    [
      [
        ['in', ['b', 'a']],
        ['>', 'a'],
      ],
      'BatchGetItem',
      'b or a',
      ['> a'],
    ],
  ])('%j is a %s of %s, checked here: %j', (conditions, operation, keys, check) => {
    expect(read(texts, conditions)).toEqual([operation, keys, check])
  })

  it.each<[Said[]]>([
    [[['=', '']]],
    [[['<', '']]],
    [[['<=', '']]],
    [[['in', ['']]]],
    [[['between', ['', '']]]],
    [[['between', ['a', '']]]],
    [[['between', ['b', 'a']]]],
  ])('%j can hold for none, and nothing is sent', (conditions) => {
    expect(read(texts, conditions)).toEqual(['None', '', []])
  })
})

describe('bytes', () => {
  const [none, one, two] = [new Uint8Array(), new Uint8Array([1]), new Uint8Array([2])]

  it.each<[Said[], string, string, string[]]>([
    [[['=', one]], 'GetItem', '[1]', []],
    [[['in', [one, new Uint8Array([1])]]], 'GetItem', '[1]', []],
    [[['in', [none, two, one]]], 'BatchGetItem', '[2] or [1]', []],
    [
      [
        ['>=', one],
        ['<=', two],
      ],
      'Query',
      'sk BETWEEN [1] AND [2]',
      [],
    ],
    [[['between', [none, two]]], 'Query', 'sk <= [2]', []],
    [[['>', none]], 'Query', '', ['is-not-null']],
    [[['<=', none]], 'None', '', []],
  ])('%j is a %s of %s, checked here: %j', (conditions, operation, key, check) => {
    expect(read(bytes, conditions)).toEqual([operation, key, check])
  })
})
