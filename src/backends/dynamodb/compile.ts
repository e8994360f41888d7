import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/client-dynamodb'
import { Expression } from './expression.ts'
import type { RangeRead } from '../planning/reads.ts'

/** What a plan does not say. */
export interface RequestOptions {
  readonly table: string
  /** All columns that are read. */
  readonly select?: readonly string[] | undefined
  readonly consistent?: boolean | undefined
  /** The column that says when an item expires, and the time, in seconds. */
  readonly ttl?: { readonly column: string; readonly now: number } | undefined
  /** Only counts. */
  readonly isCount?: boolean
  readonly capacity?: boolean
}

/** The request of a read, but for its page: a pure function, so that `explain()` shows what is sent. */
export function compile(
  { index, key, filter, forward }: RangeRead,
  { table, select, consistent, ttl, isCount = false, capacity = false }: RequestOptions,
): QueryCommandInput & ScanCommandInput {
  const expression = new Expression()
  const request: QueryCommandInput & ScanCommandInput = { TableName: table }
  if (index !== undefined) request.IndexName = index
  if (key.length > 0) request.KeyConditionExpression = expression.conditions(key)
  const filters = filter.length > 0 ? [expression.conditions(filter)] : []
  if (ttl !== undefined) filters.push(notExpired(expression, ttl))
  if (filters.length > 0) request.FilterExpression = filters.join(' AND ')
  if (isCount) request.Select = 'COUNT'
  else if (select !== undefined)
    request.ProjectionExpression = select.map((column) => expression.name(column)).join(', ')
  if (!forward) request.ScanIndexForward = false
  if (consistent === true) request.ConsistentRead = true
  if (capacity) request.ReturnConsumedCapacity = 'INDEXES'
  return Object.assign(request, expression.attributes())
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
