import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { chunks } from '../../core/chunks.ts'
import { ConditionError } from '../../errors/index.ts'
import type { Path } from '../planning/changes.ts'
import { likeOperation } from '../planning/evaluate.ts'
import type { Comparison, Condition } from '../planning/query-state.ts'
import { marshall } from '../../wire/marshall.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxOperands = 100
const maxExpressionBytes = 4096
const maxOperators = 300

/** What counts in a condition, and in an update, where `SET a = b` is no operator; aliases have neither letters nor these. */
const expressionOperators = /\b(?:AND|OR|NOT|IN|BETWEEN|[a-z_]+(?=\())|<>|<=|>=|[<=>]/g
const functions = /[a-z_]+(?=\()/g

/** Collects the names and values that expressions refer to. Every name is an alias: many are reserved words. */
export class Expression {
  readonly #names: Record<string, string> = {}
  readonly #values: AttributeItem = {}
  /** The columns, in the order of their aliases: so few that a list is searched faster than a map. */
  readonly #columns: string[] = []
  #valueCount = 0

  name(column: string): string {
    const known = this.#columns.indexOf(column)
    if (known >= 0) return `#${known}`
    const alias = `#${this.#columns.push(column) - 1}`
    this.#names[alias] = column
    return alias
  }

  /** A dot in a column's name is part of the name; a place inside a column is a list. */
  path(path: Path): string {
    if (typeof path === 'string') return this.name(path)
    return path
      .map((part, index) => {
        if (typeof part === 'number') return `[${part}]`
        return index === 0 ? this.name(part) : `.${this.name(part)}`
      })
      .join('')
  }

  value(value: unknown, column: string): string {
    return this.wireValue(marshall(value, column))
  }

  wireValue(value: AttributeValue): string {
    const alias = `:${this.#valueCount++}`
    this.#values[alias] = value
    return alias
  }

  /** All conditions as one text; `undefined` for none. */
  conditions(conditions: readonly Condition[]): string | undefined {
    if (conditions.length === 0) return undefined
    return withinLimits(
      conditions.map((condition) => this.#condition(condition)).join(' AND '),
      expressionOperators,
    )
  }

  #condition(condition: Condition): string {
    if (!('or' in condition)) return this.#comparison(condition)
    // DynamoDB refuses parentheses that it could do without, several around one condition; one group alone is no choice.
    const groups = condition.or.map((group) => {
      const texts = group.map((inner) => this.#condition(inner))
      return texts.length === 1 ? texts[0] : `(${texts.join(' AND ')})`
    })
    return `(${groups.join(' OR ')})`
  }

  #comparison({ column, path, operator, value }: Comparison): string {
    const name = this.path(path ?? column)
    const put = (operand: unknown): string => this.value(operand, column)
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
        return this.#in(name, value, put)
      case 'not-in':
        return `NOT ${this.#in(name, value, put)}`
      case 'between':
        return `${name} BETWEEN ${put(value[0])} AND ${put(value[1])}`
      case 'begins-with':
        return `begins_with(${name}, ${put(value)})`
      case 'contains':
        return `contains(${name}, ${put(value)})`
      case 'is-null':
        return `(attribute_not_exists(${name}) OR attribute_type(${name}, ${this.wireValue({ S: 'NULL' })}))`
      case 'is-not-null':
        return `(attribute_exists(${name}) AND NOT attribute_type(${name}, ${this.wireValue({ S: 'NULL' })}))`
      case 'like':
        return this.#comparison({ column, ...(path && { path }), ...likeOperation(value) })
    }
  }

  #in(name: string, values: readonly unknown[], put: (value: unknown) => string): string {
    const lists = chunks(values, maxOperands).map((some) => `${name} IN (${some.map(put).join(', ')})`)
    return lists.length === 1 ? lists.join() : `(${lists.join(' OR ')})`
  }

  /** The parts of a request that name and value are sent in; DynamoDB refuses empty ones. */
  attributes(): {
    ExpressionAttributeNames?: Record<string, string>
    ExpressionAttributeValues?: AttributeItem
  } {
    return {
      ...(this.#columns.length > 0 && { ExpressionAttributeNames: this.#names }),
      ...(this.#valueCount > 0 && { ExpressionAttributeValues: this.#values }),
    }
  }
}

/** @throws ConditionError for an expression that DynamoDB would refuse for its size */
function withinLimits(text: string, counted: RegExp): string {
  if (text.length > maxExpressionBytes)
    throw new ConditionError(
      `The expression is ${text.length} bytes, and DynamoDB takes at most ${maxExpressionBytes}`,
    )
  // Each has two characters at least, and most expressions are short.
  if (text.length < 2 * maxOperators) return text
  const count = text.match(counted)?.length ?? 0
  if (count > maxOperators)
    throw new ConditionError(
      `The expression has ${count} operators, and DynamoDB takes at most ${maxOperators}`,
    )
  return text
}

/** @throws ConditionError for an update that DynamoDB would refuse for its size */
export function withinUpdateLimits(text: string): string {
  return withinLimits(text, functions)
}
