import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ColumnError, ConfigurationError } from '../errors/index.ts'
import { checkOptions, is } from '../core/options.ts'
import { type UnknownRecord, asRecord } from '../core/record.ts'
import { isSchema, validated } from '../core/standard-schema.ts'
import { type ColumnKind, ambiguousPlace, columnsOfSchema } from './planning/column-kinds.ts'
import { type ColumnsByHand, columnsOf, isColumns, namesOf } from './planning/columns-by-hand.ts'
import type { SchemaShape } from './planning/schema-shape.ts'
import { withPlainDecimals } from './planning/decimals.ts'
import { PatchSchema } from './planning/patch-schema.ts'

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
  readonly name: string | (() => string | undefined)
  /** The columns of the primary key: one, or partition and sort. A queue has none. */
  readonly key?: readonly TKey[]
  /** Any Standard Schema (zod, valibot, arktype, …) of an object. Checks what is written, and gives the types. */
  readonly schema: TSchema
  /** The indexes, by name. */
  readonly indexes?: Readonly<Record<string, Index<Column<StandardSchemaV1.InferOutput<TSchema>>>>>
  /**
   * Checks a patch of `update()`, for a schema that does not show its columns' own schemas (zod's, valibot's and arktype's
   * objects do). It is given what the patch changes; `null` stands for a column that loses its value.
   */
  readonly patch?: StandardSchemaV1<unknown, object>
  /**
   * Gives columns that every write has: when it was made, what is computed from others. They are checked by the schema with the
   * rest. `part` tells whether it is given a whole item (`create`, `put`) or the patch of an `update`.
   */
  readonly onWrite?: OnWrite<StandardSchemaV1.InferInput<TSchema>>
  /**
   * The columns, where the schema does not tell them (zod's and valibot's objects do): their names, or what each of them
   * holds. `decimal` is a number in the database, of which no digit is lost, and its text here.
   */
  readonly columns?: ColumnsByHand<Column<StandardSchemaV1.InferOutput<TSchema>>>
}

/** A definition whose columns have been checked by its type. */
type AnyDefinition<TKey extends string> = Omit<
  ModelDefinition<StandardSchemaV1, TKey>,
  'indexes' | 'columns' | 'onWrite'
> & {
  readonly onWrite?: AnyOnWrite
  readonly indexes?: Readonly<Record<string, Index>>
  readonly columns?: ColumnsByHand<string>
}

/** Columns of an item or of a patch. */
type PartOf<TInput> = { readonly [K in keyof TInput]?: TInput[K] | null | undefined }

/** Gives the columns that a write adds to an item or to a patch. */
type OnWrite<TInput> = (data: PartOf<TInput>, part: 'item' | 'patch') => PartOf<TInput>

type AnyOnWrite = (data: never, part: 'item' | 'patch') => object

/** The names of an item's columns. */
export type Column<TItem> = keyof TItem & string

/**
 * What is stored, under which key, and what it must look like. Made by {@link model}.
 *
 * @example
 * ```ts
 * import { type Model, model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
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
  readonly #name: string | (() => string | undefined)
  readonly #shapes: ReadonlyMap<string, SchemaShape> | undefined
  readonly #isLoose: boolean
  readonly #patch: PatchSchema
  readonly #onWrite: AnyOnWrite | undefined
  readonly #decimals: readonly string[]

  private constructor({
    name,
    key = [],
    schema,
    patch,
    onWrite,
    indexes = {},
    columns,
  }: AnyDefinition<TKey>) {
    this.#onWrite = onWrite
    this.#name = name
    this.key = key
    this.schema = schema as StandardSchemaV1<TInput, TItem>
    this.indexes = indexes
    const told = columnsOfSchema(schema)
    this.#isLoose = told?.isLoose === true
    this.#shapes = columnsOf(told?.columns, columns, key)
    this.#patch = new PatchSchema(schema, patch)
    this.#decimals = [...(this.#shapes ?? [])].flatMap(([name, { kind }]) => (kind === 'decimal' ? name : []))
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
    return this.#shapes === undefined || this.#shapes.has(column)
  }

  /** The names of the columns, as far as the schema tells. */
  get columns(): string[] | undefined {
    return this.#shapes && [...this.#shapes.keys()]
  }

  /** What a column holds, as far as the schema tells. */
  kind(column: string): ColumnKind | undefined {
    return this.#shapes?.get(column)?.kind
  }

  /** Whether `null` says that a column has no value, for it cannot be left out, as far as the schema tells. */
  isNullable(column: string): boolean {
    const shape = this.#shapes?.get(column)
    return shape?.isNullable === true && !shape.isOptional
  }

  /** Whether an item may be without a value in a column, as far as the schema tells. */
  mayLack(column: string): boolean {
    return this.#shapes?.get(column)?.mayLack === true
  }

  /** What is inside a column, as far as the schema tells. @internal */
  shape(column: string): SchemaShape | undefined {
    return this.#shapes?.get(column)
  }

  /** Whether items may have columns that the model does not name: all of them are given then. @internal */
  get isLoose(): boolean {
    return this.#isLoose || this.#shapes === undefined
  }

  /**
   * Checks what an update writes into whole columns, and gives it as it is stored; `undefined` is left out.
   *
   * @param exempt - Columns that are checked in another way: those of the key, and the version
   * @param isWhole - Whether it is the patch itself, and so gets what every write has
   * @internal
   */
  async checkPatch(asked: object, exempt: readonly string[], isWhole = false): Promise<UnknownRecord> {
    const patch = isWhole ? asRecord(this.#withWritten(asked, 'patch')) : asked
    const given = Object.entries(patch ?? {}).filter(([, value]) => value !== undefined)
    for (const [column] of given) if (!this.has(column)) throw new ColumnError(column, { statusCode: 400 })
    const checked = await this.#patch.check(
      Object.fromEntries(given.filter(([column]) => !exempt.includes(column))),
    )
    return {
      ...Object.fromEntries(given.filter(([column]) => exempt.includes(column))),
      ...withPlainDecimals(checked, this.#decimals, 'The patch'),
    }
  }

  /** @internal */
  checkElements(column: string, elements: readonly unknown[]): Promise<readonly unknown[]> {
    return this.#patch.checkElements(column, elements)
  }

  /**
   * The item that an upsert makes where there is none, whole and valid; what is taken away is not in it.
   *
   * @throws ValidationError
   * @internal
   */
  async newItem(candidate: UnknownRecord): Promise<UnknownRecord> {
    const given = Object.entries(candidate).filter(
      ([column, value]) => value !== undefined && (value !== null || this.isNullable(column)),
    )
    return asRecord(await this.validate(Object.fromEntries(given))) ?? {}
  }

  /** What is stored of an item that is written. @throws ValidationError */
  validate(data: unknown): Promise<TItem> {
    return this.checkStored(this.#withWritten(data, 'item'))
  }

  #withWritten(data: unknown, part: 'item' | 'patch'): unknown {
    if (this.#onWrite === undefined || asRecord(data) === undefined) return data
    return { ...asRecord(data), ...Reflect.apply(this.#onWrite, undefined, [data, part]) }
  }

  /** An item that is there already. @throws ValidationError @internal */
  async checkStored(data: unknown): Promise<TItem> {
    const item = await validated(this.schema as StandardSchemaV1<unknown, TItem>, data, 'The data')
    return withPlainDecimals(item, this.#decimals, 'The data')
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
 * import * as z from 'zod'
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
    patch: isSchema,
    onWrite: is('function'),
    columns: isColumns,
  })
  const made = Model.of<StandardSchemaV1.InferOutput<TSchema>, StandardSchemaV1.InferInput<TSchema>, TKey>(
    definition,
  )
  const keyColumns = [
    ...made.key,
    ...Object.values(made.indexes).flatMap(({ partition, sort = [] }) => [partition, sort].flat()),
  ]
  const told = columnsOfSchema(definition.schema)
  const isKnown = (column: string): boolean =>
    told === undefined ||
    told.isLoose ||
    told.columns.has(column) ||
    namesOf(definition.columns).includes(column)
  const unknown = keyColumns.find((column) => !made.has(column) || !isKnown(column))
  if (unknown !== undefined)
    throw new TypeError(`model(): the schema has no column "${unknown}", which a key or index uses`)
  refuseAmbiguous(made)
  return made
}

/** @throws TypeError */
function refuseAmbiguous(made: Pick<Model, 'columns' | 'shape'>): void {
  for (const column of made.columns ?? []) {
    const shape = made.shape(column)
    const place = shape && ambiguousPlace(shape, column)
    if (place !== undefined)
      throw new TypeError(
        `model(): "${place}" may be a date or a bigint, or else something of another kind, and what is stored does not tell which: give it one type`,
      )
  }
}
