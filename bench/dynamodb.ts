import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { marshall as utilMarshall, unmarshall as utilUnmarshall } from '@aws-sdk/util-dynamodb'
import { Entity, any, item as toolboxItem, number, string } from 'dynamodb-toolbox'
import { GetItemCommand as ToolboxGet } from 'dynamodb-toolbox/entity/actions/get'
import { Table } from 'dynamodb-toolbox/table'
import { QueryCommand as ToolboxQuery } from 'dynamodb-toolbox/table/actions/query'
import { Entity as ElectroEntity } from 'electrodb'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import awsLite from '@aws-lite/client'
import liteDynamoDb from '@aws-lite/dynamodb'
import { light } from '../dist/clients/light.js'
import { lazily } from '../dist/core/lazily.js'
import { DynamoDbBackend } from '../dist/backends/dynamodb.js'
import { compile } from '../dist/backends/dynamodb/compile.js'
import { plan } from '../dist/backends/planning/plan.js'
import { tableOf } from '../dist/backends/planning/table.js'
import { marshallItem } from '../dist/wire/marshall.js'
import { unmarshallItem } from '../dist/wire/unmarshall.js'
import { model } from '../dist/backends/model.js'
import { type Product, product } from './dynamodb-items.ts'
import { median, table } from './harness.ts'

/** One call over HTTP. */
export interface CallCost {
  readonly name: string
  /** Microseconds of processor time per call: an item, and a page of 100. */
  readonly get: number
  readonly query: number
}

/** Work that sends nothing, in microseconds. */
export interface PureCost {
  readonly what: string
  readonly name: string
  readonly median: number
}

/** Reading a table of a size. */
export interface TableCost {
  readonly items: number
  /** Milliseconds. */
  readonly page: number
  readonly count: number
  readonly iteration: number
  /** Megabytes that were held at most while iterating. */
  readonly held: number
}

const schema: StandardSchemaV1<Product, Product> = {
  '~standard': {
    version: 1 as const,
    vendor: 'bench',
    validate: (value: unknown) => ({ value: value as Product }),
  },
}
const Products = model({
  name: 'products',
  key: ['id', 'sk'],
  schema,
  indexes: { byGenre: { partition: 'genre', sort: 'price' } },
})

interface Contender {
  readonly name: string
  readonly get: () => Promise<unknown>
  readonly query: () => Promise<readonly unknown[] | undefined>
  /** The parameters of a query with a key, a range and two filters. */
  readonly params: () => unknown
}

const key = { id: 'items-100', sk: '00000000' }

/** A call of the peer that has no SDK inside. */
type LiteCall = (input: object) => Promise<{ readonly Item?: unknown; readonly Items?: unknown[] }>

function contenders(): Contender[] {
  const products = new DynamoDbBackend(Products)
  const lightly = new DynamoDbBackend(Products, { client: light() })
  const lite = lazily(async () => {
    const endpoint = process.env['AWS_ENDPOINT_URL_DYNAMODB']
    const aws = await awsLite({
      ...{ region: 'eu-central-1', endpoint, autoloadPlugins: false },
      plugins: [liteDynamoDb],
    } as never)
    return (aws as unknown as { DynamoDB: Record<'GetItem' | 'Query', LiteCall> }).DynamoDB
  })
  const document = DynamoDBDocumentClient.from(new DynamoDBClient({}))
  const sample = product(0) as unknown as Readonly<Record<string, unknown>>
  const names = Object.keys(sample).filter((name) => name !== 'id' && name !== 'sk')

  const toolTable = new Table({
    name: 'products',
    partitionKey: { name: 'id', type: 'string' },
    sortKey: { name: 'sk', type: 'string' },
    documentClient: document,
  })
  const toolProduct = new Entity({
    name: 'product',
    table: toolTable,
    schema: toolboxItem({
      id: string().key(),
      sk: string().key(),
      ...Object.fromEntries(
        names.map((name) => {
          const value = sample[name]
          const kind = typeof value === 'string' ? string() : typeof value === 'number' ? number() : any()
          return [name, kind.optional()]
        }),
      ),
    }) as never,
    timestamps: false,
    entityAttribute: false,
  } as never) as never as { build: (action: unknown) => never }

  const electro = new ElectroEntity(
    {
      model: { entity: 'product', version: '1', service: 'bench' },
      attributes: {
        id: { type: 'string' },
        sk: { type: 'string' },
        ...Object.fromEntries(
          names.map((name) => {
            const value = sample[name]
            return [
              name,
              { type: typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'any' },
            ]
          }),
        ),
      } as never,
      indexes: {
        primary: {
          pk: { field: 'id', composite: ['id'], template: '${id}', casing: 'none' },
          sk: { field: 'sk', composite: ['sk'], template: '${sk}', casing: 'none' },
        },
      } as never,
    },
    { client: document, table: 'products' },
  ) as never as Electro

  return [
    {
      name: 'clearskies-middy',
      get: () => products.find(key),
      query: async () => (await products.where('id', '=', key.id).limit(100).page()).items,
      params: () =>
        products
          .where('id', '=', key.id)
          .where('sk', 'begins-with', '0')
          .where('genre', '=', 'x')
          .where('price', '>', 5)
          .explain(),
    },
    {
      name: 'clearskies-middy, light()',
      get: () => lightly.find(key),
      query: async () => (await lightly.where('id', '=', key.id).limit(100).page()).items,
      params: () => undefined,
    },
    {
      name: '@aws-lite/dynamodb',
      get: async () => (await (await lite()).GetItem({ TableName: 'products', Key: key })).Item,
      query: async () =>
        (
          await (
            await lite()
          ).Query({
            TableName: 'products',
            KeyConditionExpression: '#0 = :0',
            ExpressionAttributeNames: { '#0': 'id' },
            ExpressionAttributeValues: { ':0': key.id },
            Limit: 101,
          })
        ).Items,
      params: () => undefined,
    },
    {
      name: 'lib-dynamodb',
      get: () => document.send(new GetCommand({ TableName: 'products', Key: key })),
      query: async () =>
        (
          await document.send(
            new QueryCommand({
              TableName: 'products',
              KeyConditionExpression: '#0 = :0',
              ExpressionAttributeNames: { '#0': 'id' },
              ExpressionAttributeValues: { ':0': key.id },
              Limit: 101,
            }),
          )
        ).Items,
      params: () => undefined,
    },
    {
      name: 'dynamodb-toolbox',
      get: () => (toolProduct.build(ToolboxGet) as Built).key(key).send(),
      query: async () =>
        (
          (await (toolTable.build(ToolboxQuery) as never as Built)
            .query({ partition: key.id })
            .entities(toolProduct)
            .options({ limit: 101, entityAttrFilter: false })
            .send()) as { Items?: unknown[] }
        ).Items,
      params: () =>
        (toolTable.build(ToolboxQuery) as never as Built)
          .query({ partition: key.id, range: { beginsWith: '0' } })
          .entities(toolProduct)
          .options({
            entityAttrFilter: false,
            filters: {
              product: {
                and: [
                  { attr: 'genre', eq: 'x' },
                  { attr: 'price', gt: 5 },
                ],
              },
            },
          })
          .params(),
    },
    {
      name: 'ElectroDB',
      get: () => electro.get(key).go(),
      query: async () =>
        (await electro.query.primary({ id: key.id }).go({ limit: 101, ignoreOwnership: true })).data,
      params: () =>
        electro.query
          .primary({ id: key.id })
          .begins({ sk: '0' })
          .where(({ genre, price }, { eq, gt }) => `${eq?.(genre, 'x')} AND ${gt?.(price, 5)}`)
          .params(),
    },
  ]
}

/** The peers' types are not what is measured. */
interface Built {
  key(key: object): Built
  query(query: object): Built
  entities(entity: unknown): Built
  options(options: object): Built
  send(): Promise<unknown>
  params(): unknown
}

interface Electro {
  get(key: object): { go(): Promise<unknown> }
  readonly query: {
    primary(key: object): {
      go(options: object): Promise<{ readonly data: unknown[] }>
      begins(key: object): {
        where(
          make: (
            attributes: Record<string, never>,
            operations: Record<string, (name: unknown, value: unknown) => string>,
          ) => string,
        ): { params(): unknown }
      }
    }
  }
}

let server: ChildProcess | undefined

/** Starts the table, and points the AWS client at it. */
export async function openTable(): Promise<void> {
  server = fork(new URL('dynamodb-server.ts', import.meta.url))
  const [port] = (await once(server, 'message')) as [number]
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = `http://127.0.0.1:${port}`
  process.env['AWS_REGION'] ??= 'eu-central-1'
  process.env['AWS_ACCESS_KEY_ID'] ??= 'bench'
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'bench'
}

export function closeTable(): void {
  server?.kill()
}

/** Processor time per call, round by round. */
export async function benchCalls(rounds: number): Promise<CallCost[]> {
  const all = contenders()
  const costs = new Map(all.map(({ name }) => [name, { get: [] as number[], query: [] as number[] }]))
  for (const { name, query, get } of all) {
    const items = await query()
    if (items === undefined || items.length < 100) throw new Error(`${name} has read ${items?.length} items`)
    if ((await get()) === undefined) throw new Error(`${name} has found nothing`)
  }
  for (let round = -2; round < rounds; round++) {
    for (const { name, get, query } of all) {
      const cost = costs.get(name)
      const got = await cpuOf(get, 200)
      const queried = await cpuOf(query, 30)
      if (round < 0) continue
      cost?.get.push(got)
      cost?.query.push(queried)
    }
  }
  return all.map(({ name }) => ({
    name,
    get: median(costs.get(name)?.get ?? []),
    query: median(costs.get(name)?.query ?? []),
  }))
}

async function cpuOf(run: () => Promise<unknown>, count: number): Promise<number> {
  globalThis.gc?.()
  const before = process.cpuUsage()
  for (let index = 0; index < count; index++) await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** Parameters and values, without sending. */
export function benchPure(rounds: number): PureCost[] {
  const item = product(0)
  const wire = marshallItem(item)
  const work: [string, string, () => unknown][] = [
    ['marshal 1 KB', 'clearskies-middy', () => marshallItem(item)],
    ['marshal 1 KB', 'util-dynamodb', () => utilMarshall(item)],
    ['unmarshal 1 KB', 'clearskies-middy', () => unmarshallItem(wire)],
    ['unmarshal 1 KB', 'util-dynamodb', () => utilUnmarshall(wire)],
    ...contenders()
      .filter(({ params }) => params() !== undefined)
      .map(({ name, params }): [string, string, () => unknown] => ['query parameters', name, params]),
    ['query parameters', 'plan and compile alone', planned()],
  ]
  const times = work.map(() => [] as number[])
  for (let round = -3; round < rounds; round++) {
    for (const [index, [, , run]] of work.entries()) {
      const started = process.hrtime.bigint()
      for (let count = 0; count < 2000; count++) run()
      const elapsed = Number(process.hrtime.bigint() - started) / 1000 / 2000
      if (round >= 0) times[index]?.push(elapsed)
    }
  }
  return work.map(([what, name], index) => ({ what, name, median: median(times[index] ?? []) }))
}

function planned(): () => unknown {
  const description = tableOf(Products as never)
  const conditions = [
    { column: 'id', operator: '=' as const, value: key.id },
    { column: 'sk', operator: 'begins-with' as const, value: '0' },
    { column: 'genre', operator: '=' as const, value: 'x' },
    { column: 'price', operator: '>' as const, value: 5 },
  ]
  return () => {
    const chosen = plan(description, { conditions }, { scan: 'error', title: 'products' })
    return compile(chosen as never, { table: 'products' })
  }
}

/** How reading grows with a table. */
export async function benchTables(sizes: readonly number[]): Promise<TableCost[]> {
  const products = new DynamoDbBackend(Products)
  const costs: TableCost[] = []
  for (const items of sizes) {
    const all = products.where('id', '=', `items-${items}`)
    const [page] = await timed(() => all.limit(100).page())
    const [count, counted] = await timed(() => all.count())
    if (counted !== items) throw new Error(`Of ${items} items, ${String(counted)} were counted`)
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    let [seen, held] = [0, 0]
    const [iteration] = await timed(async () => {
      for await (const _ of all) {
        if (++seen % 5000 !== 0) continue
        globalThis.gc?.()
        held = Math.max(held, process.memoryUsage().heapUsed - before)
      }
    })
    if (seen !== items) throw new Error(`Of ${items} items, ${seen} were read`)
    costs.push({ items, page, count, iteration, held: held / 2 ** 20 })
  }
  return costs
}

async function timed<T>(run: () => Promise<T>): Promise<[number, T]> {
  const started = performance.now()
  const result = await run()
  return [performance.now() - started, result]
}

export function callTable(costs: readonly CallCost[]): string {
  const lib = costs.find(({ name }) => name === 'lib-dynamodb')
  return table(
    'DynamoDB: processor time per call, µs (a local server that answers at once)',
    ['', 'get 1 KB', 'beside lib', 'page of 100', 'beside lib'],
    costs.map(({ name, get, query }) => [
      name,
      get.toFixed(0),
      (get / (lib?.get ?? 1)).toFixed(2),
      query.toFixed(0),
      (query / (lib?.query ?? 1)).toFixed(2),
    ]),
  )
}

export function pureTable(costs: readonly PureCost[]): string {
  return table(
    'DynamoDB: without sending, µs',
    ['', '', 'median'],
    costs.map(({ what, name, median: value }) => [what, name, value.toFixed(2)]),
  )
}

export function tablesTable(costs: readonly TableCost[]): string {
  return table(
    'DynamoDB: tables of a size, ms',
    ['items', 'page of 100', 'count', 'all, one by one', 'MB held'],
    costs.map(({ items, page, count, iteration, held }) => [
      String(items),
      page.toFixed(1),
      count.toFixed(1),
      iteration.toFixed(0),
      held.toFixed(1),
    ]),
  )
}
