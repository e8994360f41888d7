import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Column, type Model, type ModelDefinition, model } from 'clearskies-middy'
import { DynamoDbBackend, type DynamoDbOptions } from 'clearskies-middy/backends/dynamodb'
import { afterEach, vi } from 'vitest'
import { DynamoDbFaultProxy } from './dynamodb-fault-proxy.ts'
import { createTableOf } from './dynamodb-tables.ts'
import { useDynamoDb } from './engines.ts'

/** A command as a client was given it. */
export interface Sent {
  /** `Query`, `PutItem`, … */
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
}

type Definition<TSchema extends StandardSchemaV1, TKey extends string> = Omit<
  ModelDefinition<TSchema, TKey>,
  'name'
>

/** Tables of models, each of its own, for the tests of a file; what is sent to them is recorded. */
export function useTables() {
  const dynamoDb = useDynamoDb()
  const closing: { close(): unknown }[] = []
  let tables = 0
  afterEach(async () => {
    vi.restoreAllMocks()
    vi.useRealTimers()
    await Promise.all(closing.splice(0).map((one) => one.close()))
  })

  async function define<
    TSchema extends StandardSchemaV1,
    const TKey extends Column<StandardSchemaV1.InferOutput<TSchema>>,
  >(definition: Definition<TSchema, TKey>) {
    const made = model<TSchema, TKey>({ ...definition, name: `table-${++tables}` })
    await createTableOf(dynamoDb.client, made)
    return made
  }

  return {
    define,
    get client() {
      return dynamoDb.client
    },
    /** A table, and a backend for it whose commands are recorded. */
    async open<
      TSchema extends StandardSchemaV1<unknown, object>,
      const TKey extends Column<StandardSchemaV1.InferOutput<TSchema>>,
    >(definition: Definition<TSchema, TKey>, options: DynamoDbOptions = {}) {
      const made = await define<TSchema, TKey>(definition)
      const { client, sent } = recording(dynamoDb.client)
      const backend = new DynamoDbBackend(made, { client, ...options })
      /** Another backend for the same table. */
      const reopen = (other: DynamoDbOptions) => new DynamoDbBackend(made, { client, ...other })
      /** Stores an item in its wire form, as it may have come from anywhere. */
      const store = (Item: Record<string, object>) =>
        dynamoDb.client.send(new PutItemCommand({ TableName: made.name, Item: Item as never }))
      return { backend, sent, reopen, store, name: made.name, model: made }
    },
    /** The same behind a proxy that does what networks and services do. No retry waits. */
    async openFaulty<
      TSchema extends StandardSchemaV1<unknown, object>,
      const TKey extends Column<StandardSchemaV1.InferOutput<TSchema>>,
    >(definition: Definition<TSchema, TKey>, options: DynamoDbOptions = {}, maxAttempts = 3) {
      const made = await define<TSchema, TKey>(definition)
      return faultyTable(dynamoDb.client, made, { closing, options, maxAttempts })
    },
  }
}

interface FaultyOptions {
  /** Takes what is to be closed in the end. */
  readonly closing: { close(): unknown }[]
  readonly options: DynamoDbOptions
  readonly maxAttempts: number
}

/** A table by a proxy that does what networks and services do, and without it. No retry waits. */
export async function faultyTable<TItem extends object, TInput, TKey extends string>(
  direct: DynamoDBClient,
  made: Model<TItem, TInput, TKey>,
  { closing, options, maxAttempts }: FaultyOptions,
) {
  const { hostname, port = 80 } = (await direct.config.endpoint?.()) ?? { hostname: '127.0.0.1' }
  const proxy = await DynamoDbFaultProxy.start(`http://${hostname}:${port}`)
  const client = new DynamoDBClient({ endpoint: proxy.url, maxAttempts })
  closing.push(proxy, { close: () => client.destroy() })
  // The pauses of the client and of the library are a random part of what grows: none of it is waited for.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const backend = new DynamoDbBackend(made, { client, ...options })
  /** The same table without faults. */
  const calm = new DynamoDbBackend(made, { client: direct, ...options })
  return { backend, calm, proxy, client, name: made.name }
}

/** A client that notes what it is given. */
export function recording(target: { send(command: never, options?: never): Promise<unknown> }) {
  const sent: Sent[] = []
  return {
    sent,
    client: {
      send(command: { input: Record<string, unknown> }, options?: unknown): Promise<unknown> {
        sent.push({ name: command.constructor.name.replace('Command', ''), input: command.input })
        return target.send(command as never, options as never)
      },
    },
  }
}
