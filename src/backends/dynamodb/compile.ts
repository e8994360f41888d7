import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/client-dynamodb'
import type { Path } from '../planning/changes.ts'
import { Expression } from './expression.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { Part, RangeRead } from '../planning/reads.ts'

/** What a plan does not say. */
export interface RequestOptions {
  readonly table: string
  /** All columns that are read. */
  readonly select?: readonly Path[] | undefined
  readonly consistent?: boolean | undefined
  /** The column that says when an item expires, and the time, in seconds. */
  readonly ttl?: { readonly column: string; readonly now: number } | undefined
  /** Only counts. */
  readonly isCount?: boolean
  readonly capacity?: boolean
}

/** What Query and Scan take. */
export type RangeRequest = QueryCommandInput & ScanCommandInput

/** The request of a read, but for its page: a pure function, so that `explain()` shows what is sent. */
export function compile(
  read: RangeRead,
  { table, select, consistent, ttl, isCount = false, capacity = false }: RequestOptions,
): RangeRequest {
  const { index, key, filter, forward } = read
  const expression = new Expression()
  const request: RangeRequest = { TableName: table }
  if (index !== undefined) request.IndexName = index
  if (key.length > 0) request.KeyConditionExpression = expression.conditions(key)
  const filters = filter.length > 0 ? [expression.conditions(filter)] : []
  if (ttl !== undefined && !isKeyOf(read, ttl.column)) filters.push(notExpired(expression, ttl))
  if (filters.length > 0) request.FilterExpression = filters.join(' AND ')
  if (isCount) request.Select = 'COUNT'
  else if (select !== undefined)
    request.ProjectionExpression = select.map((place) => expression.path(place)).join(', ')
  if (!forward) request.ScanIndexForward = false
  if (consistent === true) request.ConsistentRead = true
  if (capacity) request.ReturnConsumedCapacity = 'INDEXES'
  return Object.assign(request, expression.attributes())
}

/** What part of a read is asked for. */
export interface Portion {
  /** How many items would do; `Infinity` for as many as there are in a response. */
  readonly wanted: number
  /** How many may be looked at. */
  readonly most: number
  /** The key behind which it begins. */
  readonly start: AttributeItem | undefined
  readonly segment?: readonly [number, number] | undefined
  /** Whether fewer items may remain than are read. */
  readonly isFiltered: boolean
  /** How many portions were read before. */
  readonly portion: number
}

/** The least that is asked for where items are filtered: few may remain. */
const leastFiltered = 25

/** The request of one page of a read. */
export function rangeInput(
  request: RangeRequest,
  { wanted, most, start, segment, isFiltered, portion }: Portion,
): RangeRequest {
  // DynamoDB's limit counts what it reads. Where that is filtered, each portion is larger than the one before.
  const size = isFiltered ? Math.max(wanted, leastFiltered) * 4 ** portion : wanted
  const limit = Math.min(size, most)
  return {
    ...request,
    ...(start !== undefined && { ExclusiveStartKey: start }),
    ...(limit < 10_000 && { Limit: limit }),
    ...(segment !== undefined && { Segment: segment[0], TotalSegments: segment[1] }),
  }
}

/** Whether a Query reads by a column, on which it takes no filter: what that would say is checked on the items. */
export function isKeyOf({ operation, order }: RangeRead, column: string | undefined): boolean {
  return operation === 'Query' && column !== undefined && order.includes(column)
}

/** Whether a part gives fewer items than it reads. */
export function filters(
  { read, except }: Part & { readonly read: RangeRead },
  request: RangeRequest,
  ttl: string | undefined,
): boolean {
  const { filter, check } = read
  return (
    isKeyOf(read, ttl) ||
    request.FilterExpression !== undefined ||
    filter.length + check.length + except.length > 0
  )
}

/**
 * DynamoDB deletes expired items within days, and gives them until then.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
 */
export function notExpired(
  expression: Expression,
  { column, now }: { readonly column: string; readonly now: number },
): string {
  const name = expression.name(column)
  return `(attribute_not_exists(${name}) OR ${name} > ${expression.value(now, column)})`
}
