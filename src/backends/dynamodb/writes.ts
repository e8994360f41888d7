import type {
  DeleteItemCommandInput,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { Condition } from '../planning/query-state.ts'
import { storedConditions } from '../planning/operands.ts'
import { notExpired } from './compile.ts'
import type { Update } from '../planning/changes.ts'
import { updateText } from './update-text.ts'
import { Expression, withinUpdateLimits } from './expression.ts'
import type { WriteTarget } from './write-target.ts'
import { withPlaces } from '../planning/places.ts'
import { checkKeys, keyOf } from '../planning/keys.ts'
import { type Precondition, meetable } from '../planning/preconditions.ts'
import { marshallItem } from '../../wire/marshall.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** The input of a write that stores a whole item. */
export function putInput(
  target: WriteTarget,
  item: object,
  precondition: Precondition,
): PutItemCommandInput & { Item: AttributeItem } {
  const wire = marshallItem(target.typedItem(item), target.dates)
  const expression = new Expression()
  const conditional = conditionPart(target, precondition, expression)
  checkKeys(target, wire)
  return { TableName: target.name, Item: wire, ...conditional, ...expression.attributes() }
}

/** The input of a write that changes an item; `undefined` if it would change nothing. */
export function updateInput(
  target: WriteTarget,
  update: Update,
  precondition: Precondition,
): (UpdateItemCommandInput & { Key: AttributeItem }) | undefined {
  const expression = new Expression()
  const text = updateText(target, update, expression)
  if (text === '') return undefined
  const conditional = conditionPart(target, precondition, expression)
  return {
    TableName: target.name,
    Key: keyOf(target, update.key),
    UpdateExpression: withinUpdateLimits(text),
    ReturnValues: 'ALL_NEW',
    ...conditional,
    ...expression.attributes(),
  }
}

/** The input of a write that removes an item. */
export function deleteInput(
  target: WriteTarget,
  key: object,
  precondition: Precondition,
): DeleteItemCommandInput & { Key: AttributeItem } {
  const expression = new Expression()
  const conditional = conditionPart(target, precondition, expression)
  return {
    TableName: target.name,
    Key: keyOf(target, key),
    ReturnValues: 'ALL_OLD',
    ...conditional,
    ...expression.attributes(),
  }
}

type ConditionPart = Pick<PutItemCommandInput, 'ConditionExpression' | 'ReturnValuesOnConditionCheckFailure'>

function conditionPart(
  target: WriteTarget,
  { item, version, when = [] }: Precondition,
  expression: Expression,
): ConditionPart {
  const texts: string[] = []
  if (item !== undefined) texts.push(...presence(target, item, expression))
  if (version !== undefined && target.version !== undefined)
    texts.push(`${expression.name(target.version)} = ${expression.value(version, target.version)}`)
  const further = expression.conditions(checkedConditions(target, when))
  if (further !== undefined) texts.push(further)
  if (texts.length === 0) return {}
  return { ConditionExpression: texts.join(' AND '), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }
}

/** An item that has expired counts as none, though DynamoDB may still hold it. */
function presence(
  { table: { key }, ttl, now }: WriteTarget,
  item: 'new' | 'existing' | 'current',
  expression: Expression,
): string[] {
  const [column = ''] = key
  const alive = (): string[] => (ttl === undefined ? [] : [notExpired(expression, { column: ttl, now })])
  if (item === 'current') return alive()
  if (item === 'existing') return [`attribute_exists(${expression.name(column)})`, ...alive()]
  const absent = `attribute_not_exists(${expression.name(column)})`
  if (ttl === undefined) return [absent]
  return [`(${absent} OR ${expression.name(ttl)} <= ${expression.value(now, ttl)})`]
}

/** The conditions of a write as the item has to meet them. @throws ConditionError for those that make no sense */
export function checkedConditions(target: WriteTarget, when: readonly Condition[]): readonly Condition[] {
  return meetable(storedConditions(withPlaces(when, target), target), target.table)
}
