import { meets } from '../planning/evaluate.ts'
import { picked } from '../../core/record.ts'
import type { Condition } from '../planning/query-state.ts'
import { batchGet } from './batch.ts'
import { type RangeRequest, filters, rangeInput } from './compile.ts'
import { type KeyRequestOptions, compileGet } from './compile-keys.ts'
import { type Connection } from './connection.ts'
import type { KeyRead, Part, RangeRead } from '../planning/reads.ts'
import { plainItem } from '../../wire/unmarshall.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** Where a read stands: behind the item of a key, or behind so many of a list of keys. */
export type Position = AttributeItem | number

/** Some items of a read, and how it goes on. */
export interface SourcePortion {
  readonly items: readonly AttributeItem[]
  /** Where the read stands behind an item. */
  readonly behind: (index: number) => Position
  /** Where it stands behind all of them; `undefined` at its end. */
  readonly next: Position | undefined
  /** How many items were looked at. */
  readonly scanned: number
}

/** How far a portion goes. */
export interface PortionOptions {
  /** How many items would do; `Infinity` for as many as there are in a response. */
  readonly wanted: number
  /** How many may be looked at. */
  readonly most: number
  readonly signal: AbortSignal | undefined
}

/** One read of a plan, in portions. */
export interface Source {
  read(from: Position | undefined, options: PortionOptions): Promise<SourcePortion>
}

/** What all sources of a table need. */
export interface SourceOptions extends KeyRequestOptions {
  readonly connection: Connection
  readonly ttl: string | undefined
  /** Items that count as absent. */
  readonly isExpired: (item: AttributeItem) => boolean
}

/** Whether an item passes what DynamoDB was not asked to check, and was not given by another read. */
export function passes(
  item: AttributeItem,
  check: readonly Condition[],
  except: readonly (readonly Condition[])[],
): boolean {
  if (check.length === 0 && except.length === 0) return true
  const plain = plainItem(item)
  const meetsAll = (conditions: readonly Condition[]): boolean =>
    conditions.every((condition) => meets(plain, condition))
  return meetsAll(check) && !except.some(meetsAll)
}

/** A part of a plan that is read in one way. */
export type PartWith<TRead> = Part & { readonly read: TRead }

/** Items by their keys. */
export function keySource(
  { read: { check }, except }: PartWith<KeyRead>,
  keys: readonly AttributeItem[],
  options: SourceOptions,
): Source {
  return {
    async read(from, { most, signal }) {
      const offset = typeof from === 'number' ? from : 0
      const asked = keys.slice(offset, offset + most)
      const found = await getItems(asked, options, signal)
      const items: AttributeItem[] = []
      const positions: number[] = []
      for (const [index, item] of found.entries()) {
        if (item === undefined || options.isExpired(item) || !passes(item, check, except)) continue
        items.push(item)
        positions.push(offset + index + 1)
      }
      const end = offset + asked.length
      const next = end < keys.length ? end : undefined
      return { items, behind: (index) => positions[index] as number, next, scanned: asked.length }
    },
  }
}

async function getItems(
  keys: readonly AttributeItem[],
  options: SourceOptions,
  signal: AbortSignal | undefined,
): Promise<(AttributeItem | undefined)[]> {
  const [only, ...others] = keys
  if (only === undefined || others.length > 0) return batchGet(keys, options, signal)
  const { Item } = await options.connection.call('GetItem', compileGet(only, options), { signal })
  return [Item]
}

/** Items of the table or an index, one after the other. */
export function rangeSource(
  part: PartWith<RangeRead>,
  request: RangeRequest,
  options: SourceOptions & { readonly segment?: readonly [number, number] },
): Source {
  const { operation, order } = part.read
  const { segment, connection, keyColumns } = options
  const isFiltered = filters(part, request, options.ttl)
  const positionColumns = [...new Set([...keyColumns, ...order])]
  let portions = 0
  return {
    async read(from, { wanted, most, signal }) {
      const start = typeof from === 'number' ? undefined : from
      const input = rangeInput(request, { wanted, most, start, segment, isFiltered, portion: portions++ })
      const {
        Items = [],
        LastEvaluatedKey,
        ScannedCount,
      } = await connection.call(operation, input, { signal })
      const { items, places } = await kept(Items, { part, options, signal })
      return {
        items,
        behind: (index) => picked(places[index] ?? {}, positionColumns),
        next: LastEvaluatedKey,
        scanned: ScannedCount ?? 0,
      }
    },
  }
}

interface Read {
  readonly part: PartWith<RangeRead>
  readonly options: SourceOptions
  readonly signal: AbortSignal | undefined
}

/** The items of a response that are wanted, and what the index holds of each. */
async function kept(
  found: readonly AttributeItem[],
  { part: { read, except }, options, signal }: Read,
): Promise<{ readonly items: AttributeItem[]; readonly places: AttributeItem[] }> {
  const { hydrate, check } = read
  const whole = hydrate ? await hydrated(found, options, signal) : found
  const items: AttributeItem[] = []
  const places: AttributeItem[] = []
  for (const [index, place] of found.entries()) {
    const item = whole[index]
    if (item === undefined || options.isExpired(item) || !passes(item, check, except)) continue
    items.push(item)
    places.push(place)
  }
  return { items, places }
}

/** The whole items of an index that holds only parts of them. */
function hydrated(
  parts: readonly AttributeItem[],
  options: SourceOptions,
  signal: AbortSignal | undefined,
): Promise<(AttributeItem | undefined)[]> {
  return batchGet(
    parts.map((part) => picked(part, options.keyColumns)),
    options,
    signal,
  )
}
