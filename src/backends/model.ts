import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigurationError } from '../errors/index.ts'
import { checkOptions, is } from '../core/options.ts'
import { isSchema, validated } from '../core/standard-schema.ts'
import { type ColumnFacts, type ColumnKind, columnFacts } from './planning/column-kinds.ts'

/** The keys of an index: equal in `partition`, ordered by `sort`. A DynamoDB index may have up to four of each. */
export interface Index<TColumn extends string = string> {
  readonly partition: TColumn | readonly TColumn[]
  readonly sort?: TColumn | readonly TColumn[]
  /** What the index holds: whole items, their keys, or these columns beside them (DynamoDB). @default 'all' */
  readonly project?: 'all' | 'keys' | readonly TColumn[]
  /** Whether it is a local index of DynamoDB, which can be read consistently. @default if it has the table's partition */
  readonly local?: boolean
}

/** What {@link model} is given. */
export interface ModelDefinition<TSchema extends StandardSchemaV1, TKey extends string> {
  /** The table's name or the queue's URL, or a function for one that is known late. */
  readonly name: string | (() => string)
  /** The columns of the primary key: one, or partition and sort. A queue has none. */
  readonly key?: readonly TKey[]
  /** Any Standard Schema (zod, valibot, arktype, …) of an object. Checks what is written, and gives the types. */
  readonly schema: TSchema
  /** The indexes, by name. */
  readonly indexes?: Readonly<Record<string, Index<Column<StandardSchemaV1.InferOutput<TSchema>>>>>
  /** The columns, where the schema does not tell them (zod's and valibot's objects do). */
  readonly columns?: readonly Column<StandardSchemaV1.InferOutput<TSchema>>[]
}

/** A definition whose columns have been checked by its type. */
type AnyDefinition<TKey extends string> = Omit<
  ModelDefinition<StandardSchemaV1, TKey>,
  'indexes' | 'columns'
> & {
  readonly indexes?: Readonly<Record<string, Index>>
  readonly columns?: readonly string[]
}

/** The names of an item's columns. */
export type Column<TItem> = keyof TItem & string

/**
 * What is stored, under which key, and what it must look like. Made by {@link model}.
 *
 * @example
 * ```ts
 * import { type Model, model } from 'clearskies-middy/backends/model'
 * import { z } from 'zod'
 *
 * const schema = z.object({ id: z.string(), price: z.number() })
 * const Product: Model<z.infer<typeof schema>> = model({ name: 'products', key: ['id'], schema })
 * console.log(Product.columns, Product.kind('price')) // [ 'id', 'price' ] number
 * ```
 */
export class Model<TItem = unknown, TInput = TItem, TKey extends string = string> {
  readonly key: readonly TKey[]
  readonly indexes: Readonly<Record<string, Index>>
  readonly schema: StandardSchemaV1<TInput, TItem>
  readonly #name: string | (() => string)
  readonly #facts: ReadonlyMap<string, ColumnFacts | undefined> | undefined

  private constructor({ name, key = [], schema, indexes = {}, columns }: AnyDefinition<TKey>) {
    this.#name = name
    this.key = key
    this.schema = schema as StandardSchemaV1<TInput, TItem>
    this.indexes = indexes
    const facts = columnFacts(schema)
    const known = columns ?? (facts && [...facts.keys()])
    this.#facts = known && new Map([...known, ...key].map((column) => [column, facts?.get(column)]))
  }

  /** @internal */
  static of<TItem, TInput, TKey extends string>(definition: AnyDefinition<TKey>): Model<TItem, TInput, TKey> {
    return new Model(definition)
  }

  /** The table's name or the queue's URL. */
  get name(): string {
    const name = typeof this.#name === 'function' ? this.#name() : this.#name
    if (typeof name !== 'string' || name === '')
      throw new ConfigurationError(
        'The model has no name: its function gave none, perhaps because an environment variable is not set',
      )
    return name
  }

  /** Whether there is such a column, as far as the schema tells. */
  has(column: string): boolean {
    return this.#facts === undefined || this.#facts.has(column)
  }

  /** The names of the columns, as far as the schema tells. */
  get columns(): string[] | undefined {
    return this.#facts && [...this.#facts.keys()]
  }

  /** What a column holds, as far as the schema tells. */
  kind(column: string): ColumnKind | undefined {
    return this.#facts?.get(column)?.kind
  }

  /** Whether `null` says that a column has no value, for it cannot be left out, as far as the schema tells. */
  isNullable(column: string): boolean {
    return this.#facts?.get(column)?.isNullable === true
  }

  /** Whether an item may be without a value in a column, as far as the schema tells. */
  mayLack(column: string): boolean {
    return this.#facts?.get(column)?.mayLack === true
  }

  /** @throws ValidationError */
  validate(data: unknown): Promise<TItem> {
    return validated(this.schema as StandardSchemaV1<unknown, TItem>, data, 'The data')
  }
}

/** What a model's backends give: `ItemOf<typeof Product>`. */
export type ItemOf<TModel> = TModel extends Model<infer TItem, infer _TInput, infer _TKey> ? TItem : never

/** What a model's backends take. Defaults that the schema fills in may be left out. */
export type InputOf<TModel> = TModel extends Model<infer _TItem, infer TInput, infer _TKey> ? TInput : never

/**
 * Describes what a backend stores.
 *
 * @throws TypeError for a key or index over columns that the schema does not have
 * @example
 * ```ts
 * import { model } from 'clearskies-middy/backends/model'
 * import { z } from 'zod'
 *
 * export const Product = model({
 *   name: 'products',
 *   key: ['author', 'title'],
 *   schema: z.object({ author: z.string(), title: z.string(), genre: z.string().optional() }),
 *   indexes: { byGenre: { partition: 'genre', sort: 'title' } },
 * })
 * ```
 */
export function model<
  TSchema extends StandardSchemaV1,
  const TKey extends Column<StandardSchemaV1.InferOutput<TSchema>> = never,
>(
  definition: ModelDefinition<TSchema, TKey>,
): Model<StandardSchemaV1.InferOutput<TSchema>, StandardSchemaV1.InferInput<TSchema>, TKey> {
  checkOptions('model', definition, {
    name: (value: unknown) => typeof value === 'function' || (typeof value === 'string' && value !== ''),
    key: (value: unknown) => Array.isArray(value) && value.every((column) => typeof column === 'string'),
    schema: isSchema,
    indexes: is('object'),
    columns: (value: unknown) => Array.isArray(value),
  })
  const made = Model.of<StandardSchemaV1.InferOutput<TSchema>, StandardSchemaV1.InferInput<TSchema>, TKey>(
    definition,
  )
  const keyColumns = [
    ...made.key,
    ...Object.values(made.indexes).flatMap(({ partition, sort = [] }) => [partition, sort].flat()),
  ]
  const unknown = keyColumns.find((column) => !made.has(column))
  if (unknown !== undefined)
    throw new TypeError(`model(): the schema has no column "${unknown}", which a key or index uses`)
  return made
}
