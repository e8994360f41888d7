import type {
  AttributeValue,
  DeleteItemCommandOutput,
  GetItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { type AwsClient, type ClientOption, lazyClient, ownClients } from '../../aws-client.ts'
import { ConditionError, ConflictError, InvalidDataError, NotFoundError } from '../../errors.ts'
import { optionalImport } from '../../optional-import.ts'
import { checkOptions, is, oneOf } from '../../options.ts'
import type { Creates, Deletes, Finds, Patch, Queries, Updates } from '../capabilities.ts'
import type { Model } from '../model.ts'
import { type Page, type PageOptions, Query, type QueryRunner, type QueryState } from '../query.ts'
import { readToken, writeToken } from '../token.ts'
import { Expression, compile } from './compile.ts'
import { type Plan, plan } from './plan.ts'
import { type NumberMode, type WireItem, marshall, marshallItem, unmarshallItem } from './values.ts'

/** Options of {@link DynamoDbBackend}. */
export interface DynamoDbOptions {
  /** A `DynamoDBClient`, or anything else with its `send`, or a function that gives one. @default one per process */
  readonly client?: ClientOption
  /** What to do with a query that no key or index serves. @default 'error' */
  readonly scan?: 'error' | 'allow'
  /** Signs page tokens. Without it they are bound to their query by a plain hash. */
  readonly tokenSecret?: string
  /** What numbers become on reading; `safe` refuses one that JavaScript would round. @default 'safe' */
  readonly numbers?: NumberMode
  /** Whether reads of the table see every write that was acknowledged before. @default false */
  readonly consistent?: boolean
}

const loadSdk = () => optionalImport('@aws-sdk/client-dynamodb', () => import('@aws-sdk/client-dynamodb'))

/** A logger with an `info` would make the client copy every response for it, and by default it has an empty one. */
const quiet = { trace() {}, debug() {}, warn() {} }

const ownClient = ownClients(
  async (config) => new (await loadSdk()).DynamoDBClient({ ...config, logger: quiet as never }),
)

/**
 * Items of a DynamoDB table. Needs `@aws-sdk/client-dynamodb` and the permissions of what is called: `dynamodb:PutItem`,
 * `GetItem`, `UpdateItem`, `DeleteItem`, `Query`, and `Scan` where it is allowed.
 *
 * @example
 * ```ts
 * import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
 * import { model } from 'clearskies-middy/backends/model'
 * import { z } from 'zod'
 *
 * const Product = model({ name: 'products', key: ['author', 'title'], schema: z.object({ author: z.string(), title: z.string() }) })
 * const products = new DynamoDbBackend(Product)
 *
 * await products.create({ author: 'Le Guin', title: 'The Dispossessed' })
 * const { items, next } = await products.where('author', '=', 'Le Guin').limit(20).page()
 * console.log(items, next)
 * ```
 */
export class DynamoDbBackend<TItem extends object, TInput, TKey extends string>
  implements
    Creates<TItem, TInput>,
    Finds<TItem, Pick<TItem, TKey & keyof TItem>>,
    Queries<TItem>,
    Updates<TItem, Pick<TItem, TKey & keyof TItem>, TInput>,
    Deletes<TItem, Pick<TItem, TKey & keyof TItem>>
{
  /** Items that meet a condition; see {@link Query}. */
  readonly where: Query<TItem>['where']
  readonly #model: Model<TItem, TInput, TKey>
  readonly #options: DynamoDbOptions
  readonly #client: () => Promise<AwsClient>

  constructor(model: Model<TItem, TInput, TKey>, options: DynamoDbOptions = {}) {
    checkOptions('DynamoDbBackend', options, {
      client: (value: unknown) =>
        typeof value === 'function' || typeof (value as { send?: unknown } | null)?.send === 'function',
      scan: oneOf('error', 'allow'),
      tokenSecret: is('string'),
      numbers: oneOf('safe', 'bigint', 'string'),
      consistent: is('boolean'),
    })
    if (model.key.length < 1 || model.key.length > 2)
      throw new TypeError('DynamoDbBackend: the model needs a key of one or two columns')
    this.#model = model
    this.#options = options
    const all = this.query()
    this.where = all.where.bind(all)
    this.#client = lazyClient(options.client, ownClient)
  }

  async create(data: TInput): Promise<TItem> {
    const item = await this.#model.validate(data)
    const [partition] = this.#model.key
    const { PutItemCommand } = await loadSdk()
    const input = {
      ...this.#put(item),
      ConditionExpression: 'attribute_not_exists(#0)',
      ExpressionAttributeNames: { '#0': partition as string },
    }
    await this.#send(
      new PutItemCommand(input),
      (cause) => new ConflictError(`${this.#model.name} has an item with this key already`, { cause }),
    )
    return item
  }

  createMany(list: readonly TInput[]): Promise<TItem[]> {
    return Promise.all(list.map((data) => this.create(data)))
  }

  async put(data: TInput): Promise<TItem> {
    const item = await this.#model.validate(data)
    const { PutItemCommand } = await loadSdk()
    await this.#send(new PutItemCommand(this.#put(item)))
    return item
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    const { GetItemCommand } = await loadSdk()
    const { Item } = await this.#send<GetItemCommandOutput>(
      new GetItemCommand({
        TableName: this.#model.name,
        Key: this.#key(key),
        ...(this.#options.consistent === true && { ConsistentRead: true }),
      }),
    )
    return Item && this.#item(Item)
  }

  findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    return Promise.all(keys.map((key) => this.find(key)))
  }

  async update(key: Pick<TItem, TKey & keyof TItem>, patch: Patch<TItem>): Promise<TItem> {
    const wireKey = this.#key(key)
    const expression = new Expression()
    const set: string[] = []
    const remove: string[] = []
    for (const [column, value] of Object.entries(patch as Record<string, unknown>)) {
      if (value === undefined) continue
      this.#checkColumn(column)
      if (this.#model.key.includes(column as TKey)) {
        if (value === (key as Record<string, unknown>)[column]) continue
        throw new ConditionError(
          `The key column "${column}" cannot be changed: create a new item and delete this one`,
        )
      }
      if (value === null || (value instanceof Set && value.size === 0)) remove.push(expression.name(column))
      else set.push(`${expression.name(column)} = ${expression.value(value, column)}`)
    }
    const clauses = [
      set.length > 0 ? `SET ${set.join(', ')}` : '',
      remove.length > 0 ? `REMOVE ${remove.join(', ')}` : '',
    ].filter((clause) => clause !== '')
    const exists = `attribute_exists(${expression.name(this.#model.key[0] as string)})`
    const { UpdateItemCommand } = await loadSdk()
    const { Attributes = {} } = await this.#send<UpdateItemCommandOutput>(
      new UpdateItemCommand({
        TableName: this.#model.name,
        Key: wireKey,
        ConditionExpression: exists,
        ReturnValues: 'ALL_NEW',
        ...(clauses.length > 0 && { UpdateExpression: clauses.join(' ') }),
        ...expression.attributes(),
      }),
      (cause) => new NotFoundError(`${this.#model.name} has no item with this key`, { cause }),
    )
    return this.#item(Attributes)
  }

  async delete(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    const { DeleteItemCommand } = await loadSdk()
    const { Attributes } = await this.#send<DeleteItemCommandOutput>(
      new DeleteItemCommand({ TableName: this.#model.name, Key: this.#key(key), ReturnValues: 'ALL_OLD' }),
    )
    return Attributes && this.#item(Attributes)
  }

  query(): Query<TItem> {
    return new Query<TItem>(this.#runner)
  }

  readonly #runner: QueryRunner = {
    checkColumn: (column) => {
      this.#checkColumn(column)
    },
    page: (state, options) => this.#page(state, options),
    count: (state, options) => this.#count(state, options),
    explain: (state) => {
      const chosen = this.#plan(state)
      return { plan: chosen, request: this.#request(chosen, state) }
    },
  }

  #plan(state: QueryState): Plan {
    return plan(this.#model, state, { scan: this.#options.scan ?? 'error' })
  }

  #request(chosen: Plan, { select, consistent = this.#options.consistent }: QueryState): QueryCommandInput {
    // The keys are read in any case: a page may have to end at any of its items.
    const columns = select && [...new Set([...select, ...this.#model.key, ...chosen.order])]
    return compile(chosen, { table: this.#model.name, select: columns, consistent })
  }

  async #page(
    state: QueryState,
    { maxPages = Infinity, maxScanned = Infinity, signal }: PageOptions,
  ): Promise<Page<TItem>> {
    const chosen = this.#plan(state)
    const request = this.#request(chosen, state)
    const { tokenSecret } = this.#options
    let start =
      state.after === undefined ? undefined : fromPosition(readToken(state.after, request, tokenSecret))
    const { limit = Infinity } = state
    const found: WireItem[] = []
    let scanned = 0
    for (let pages = 0; pages < maxPages && scanned < maxScanned; pages++) {
      signal?.throwIfAborted()
      const {
        Items = [],
        LastEvaluatedKey,
        ScannedCount = 0,
      } = await this.#read(chosen, request, start, limit - found.length + 1, signal)
      found.push(...Items)
      scanned += ScannedCount
      start = LastEvaluatedKey
      if (start === undefined || found.length > limit) break
    }
    const items = found.slice(0, limit).map((item) => this.#item(picked(item, state.select)))
    // Cut to the limit, the page ends at its own last item, and not where DynamoDB stopped reading.
    const last = found.length > limit ? this.#position(found[limit - 1] as WireItem, chosen) : start
    return last === undefined
      ? { items }
      : { items, next: writeToken(toPosition(last), request, tokenSecret) }
  }

  async #count(state: QueryState, { signal }: PageOptions): Promise<number> {
    const chosen = this.#plan(state)
    const request = { ...this.#request(chosen, state), Select: 'COUNT' as const }
    const { limit = Infinity } = state
    let start: WireItem | undefined
    let total = 0
    do {
      signal?.throwIfAborted()
      const { Count = 0, LastEvaluatedKey } = await this.#read(chosen, request, start, Infinity, signal)
      total += Count
      start = LastEvaluatedKey
    } while (start !== undefined && total < limit)
    return Math.min(total, limit)
  }

  async #read(
    chosen: Plan,
    request: QueryCommandInput,
    start: WireItem | undefined,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<QueryCommandOutput> {
    const { QueryCommand, ScanCommand } = await loadSdk()
    const input = {
      ...request,
      ...(start !== undefined && { ExclusiveStartKey: start }),
      // DynamoDB's limit counts what it reads, before the filter: only without one does it say how many come back.
      ...(limit !== Infinity && chosen.filter.length === 0 && { Limit: limit }),
    }
    const command = chosen.operation === 'Query' ? new QueryCommand(input) : new ScanCommand(input)
    return this.#send<QueryCommandOutput>(command, undefined, signal)
  }

  #position(item: WireItem, { order }: Plan): WireItem {
    const columns = new Set([...this.#model.key, ...order])
    return Object.fromEntries([...columns].map((column) => [column, item[column] as AttributeValue]))
  }

  #put(item: TItem): { TableName: string; Item: WireItem } {
    const wire = marshallItem(item)
    for (const column of this.#model.key) checkKeyValue(column, wire[column])
    return { TableName: this.#model.name, Item: wire }
  }

  #key(key: object): WireItem {
    const given = key as Readonly<Record<string, unknown>>
    const wire: WireItem = {}
    for (const column of this.#model.key) {
      wire[column] = checkKeyValue(
        column,
        given[column] === undefined ? undefined : marshall(given[column], column),
      )
    }
    return wire
  }

  #item(wire: WireItem): TItem {
    return unmarshallItem(wire, this.#options.numbers) as TItem
  }

  #checkColumn(column: string): void {
    if (!this.#model.has(column)) throw new ConditionError(`The model has no column "${column}"`)
  }

  async #send<TOutput>(
    command: unknown,
    onCondition?: (cause: unknown) => Error,
    signal?: AbortSignal,
  ): Promise<TOutput> {
    const client = await this.#client()
    try {
      return (await client.send(command, signal && { abortSignal: signal })) as TOutput
    } catch (error) {
      if (
        onCondition !== undefined &&
        (error as { name?: unknown }).name === 'ConditionalCheckFailedException'
      )
        throw onCondition(error)
      throw error
    }
  }
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html */
function checkKeyValue(column: string, value: AttributeValue | undefined): AttributeValue {
  if (value === undefined) throw new InvalidDataError(`The key column "${column}" has no value`)
  const [kind, content] = Object.entries(value)[0] as [string, unknown]
  if (!['S', 'N', 'B'].includes(kind))
    throw new InvalidDataError(`The key column "${column}" takes a string, a number or bytes`)
  if ((content as { length: number }).length === 0)
    throw new InvalidDataError(`The key column "${column}" is empty, which DynamoDB refuses`)
  return value
}

/** Keys are strings, numbers and bytes; only bytes need another form in JSON. */
function toPosition(key: WireItem): unknown {
  return Object.entries(key).map(([column, value]) => [
    column,
    value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
  ])
}

function fromPosition(position: unknown): WireItem {
  return Object.fromEntries(
    (position as [string, { B?: string }][]).map(([column, value]) => [
      column,
      value.B === undefined ? value : { B: Buffer.from(value.B, 'base64') },
    ]),
  ) as WireItem
}

function picked(item: WireItem, columns: readonly string[] | undefined): WireItem {
  if (columns === undefined) return item
  return Object.fromEntries(Object.entries(item).filter(([column]) => columns.includes(column)))
}
