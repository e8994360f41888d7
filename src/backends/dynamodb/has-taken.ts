import type { DynamoDbUpdateOptions } from './options.ts'
import { sameValue } from './same-attributes.ts'
import { marshall } from '../../wire/marshall.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { Precondition, WriteTarget } from './writes.ts'

/** Whether an item is what an update, whose answer was lost, has made of it: one version further, with all that it sets. */
export function hasTaken<TItem>(
  current: AttributeItem | undefined,
  patch: object,
  { when: _, expect: _expect, upsert: _upsert, ...changes }: DynamoDbUpdateOptions<TItem>,
  { version: seen }: Precondition,
  { version: column, dates }: WriteTarget,
): boolean {
  if (current === undefined || seen === undefined || column === undefined) return false
  // What is added to something cannot be told from what another write has added.
  if (Object.keys(changes).length > 0 || current[column]?.N !== String(seen + 1)) return false
  return Object.entries(patch).every(([name, value]: [string, unknown]) => {
    if (value === undefined || name === column) return true
    const held = Object.hasOwn(current, name) ? current[name] : undefined
    if (value === null || (value instanceof Set && value.size === 0)) return held === undefined
    return held !== undefined && sameValue(held, marshall(value, name, dates))
  })
}
