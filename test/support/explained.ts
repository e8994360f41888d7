// Plans and requests of queries, as `explain()` shows them, without a server.
import { model } from 'clearskies-middy'
import { DynamoDbBackend, type DynamoDbOptions } from 'clearskies-middy/backends/dynamodb'
import { expect } from 'vitest'
import { z } from 'zod'

export const Thing = model({
  name: 'things',
  key: ['id', 'sk'],
  indexes: {
    l: { partition: 'id', sort: 'age' },
    c: { partition: 'cat', sort: 'age' },
    inv: { partition: 'sk', sort: 'id' },
    k: { partition: 'note', project: 'keys' },
  },
  schema: z.object({
    id: z.string(),
    sk: z.string(),
    age: z.number(),
    cat: z.string(),
    note: z.string(),
    tenant: z.string().optional(),
    active: z.boolean().optional(),
  }),
})

/** A client that no test of a plan may use. */
export const unused = { send: () => Promise.reject(new Error('Nothing is to be sent')) }
export const open = (options: DynamoDbOptions = {}) =>
  new DynamoDbBackend(Thing, { client: unused, ...options })
export const things = open()
export const A = things.where('id', '=', 'A')

export interface Explained {
  readonly plan: {
    readonly operation: string
    readonly index?: string
    readonly why: string
    readonly check?: unknown
  }
  readonly requests: readonly Record<string, unknown>[]
}
export const explained = (query: { explain(): unknown }): Explained => query.explain() as Explained
/** The one request of a query. */
export function request(query: { explain(): unknown }): Record<string, unknown> {
  const { requests } = explained(query)
  expect(requests).toHaveLength(1)
  return requests[0] as Record<string, unknown>
}
/** What an expression says, with names and values for their aliases. */
export function text(input: Record<string, unknown>, part: 'KeyConditionExpression' | 'FilterExpression') {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = input as {
    ExpressionAttributeNames?: Record<string, string>
    ExpressionAttributeValues?: Record<string, Record<string, unknown>>
  }
  return (input[part] as string | undefined)
    ?.replace(/#\d+/g, (alias) => String(names[alias]))
    .replace(/:\d+/g, (alias) => String(Object.values(values[alias] ?? {})[0]))
}
