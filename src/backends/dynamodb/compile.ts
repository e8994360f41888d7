import type { AttributeValue, QueryCommandInput, ScanCommandInput } from '@aws-sdk/client-dynamodb'
import { ConditionError } from '../../errors.ts'
import type { Comparison, Condition } from '../query.ts'
import type { Plan } from './plan.ts'
import { type WireItem, marshall } from './values.ts'

/** Collects the names and values that an expression refers to. Every name is an alias: many are reserved words. */
export class Expression {
  readonly names: Record<string, string> = {}
  readonly values: WireItem = {}
  readonly #aliases = new Map<string, string>()

  name(column: string): string {
    let alias = this.#aliases.get(column)
    if (alias === undefined) {
      alias = `#${this.#aliases.size}`
      this.#aliases.set(column, alias)
      this.names[alias] = column
    }
    return alias
  }

  value(value: unknown, column: string): string {
    return this.wireValue(marshall(value, column))
  }

  wireValue(value: AttributeValue): string {
    const alias = `:${Object.keys(this.values).length}`
    this.values[alias] = value
    return alias
  }

  /** The parts of a request that name and value are sent in; DynamoDB refuses empty ones. */
  attributes(): { ExpressionAttributeNames?: Record<string, string>; ExpressionAttributeValues?: WireItem } {
    return {
      ...(this.#aliases.size > 0 && { ExpressionAttributeNames: this.names }),
      ...(Object.keys(this.values).length > 0 && { ExpressionAttributeValues: this.values }),
    }
  }
}

/** What differs from page to page, and what a plan does not say. */
export interface RequestOptions {
  readonly table: string
  readonly select?: readonly string[] | undefined
  readonly consistent?: boolean | undefined
}

/** The request of a plan, but for its page: a pure function, so that `explain()` shows what is sent. */
export function compile(
  plan: Plan,
  { table, select, consistent }: RequestOptions,
): QueryCommandInput & ScanCommandInput {
  const expression = new Expression()
  const key = plan.key.map((comparison) => compare(comparison, expression)).join(' AND ')
  const filter = plan.filter.map((condition) => conditionText(condition, expression)).join(' AND ')
  const projection = select?.map((column) => expression.name(column)).join(', ')
  return {
    TableName: table,
    ...(plan.index !== undefined && { IndexName: plan.index }),
    ...(key !== '' && { KeyConditionExpression: key }),
    ...(filter !== '' && { FilterExpression: filter }),
    ...(projection !== undefined && { ProjectionExpression: projection }),
    ...(!plan.forward && { ScanIndexForward: false }),
    ...(consistent === true && { ConsistentRead: true }),
    ...expression.attributes(),
  }
}

function conditionText(condition: Condition, expression: Expression): string {
  if (!('or' in condition)) return compare(condition, expression)
  return `(${condition.or.map((group) => `(${group.map((one) => conditionText(one, expression)).join(' AND ')})`).join(' OR ')})`
}

function compare({ column, operator, value }: Comparison, expression: Expression): string {
  const name = expression.name(column)
  const put = (one: unknown): string => expression.value(one, column)
  switch (operator) {
    case '=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return `${name} ${operator} ${put(value)}`
    case '!=':
      return `${name} <> ${put(value)}`
    case 'in':
      return `${name} IN (${(value as unknown[]).map(put).join(', ')})`
    case 'not-in':
      return `NOT ${name} IN (${(value as unknown[]).map(put).join(', ')})`
    case 'between': {
      const [low, high] = value as [unknown, unknown]
      return `${name} BETWEEN ${put(low)} AND ${put(high)}`
    }
    case 'begins-with':
      return `begins_with(${name}, ${put(value)})`
    case 'contains':
      return `contains(${name}, ${put(value)})`
    case 'is-null':
      return `(attribute_not_exists(${name}) OR attribute_type(${name}, ${expression.wireValue({ S: 'NULL' })}))`
    case 'is-not-null':
      return `(attribute_exists(${name}) AND NOT attribute_type(${name}, ${expression.wireValue({ S: 'NULL' })}))`
    case 'like':
      return like(name, String(value), put)
  }
}

/** The patterns of SQL that DynamoDB has a function for. */
function like(name: string, pattern: string, put: (value: unknown) => string): string {
  const match = /^(%?)([^%_]+)(%?)$/.exec(pattern)
  if (match === null || (match[1] === '%' && match[3] === ''))
    throw new ConditionError('DynamoDB knows the patterns "a", "a%" and "%a%" and no others')
  const [, before, text, after] = match
  if (after === '') return `${name} = ${put(text)}`
  return before === '' ? `begins_with(${name}, ${put(text)})` : `contains(${name}, ${put(text)})`
}
