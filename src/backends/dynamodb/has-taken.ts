import type { Update } from './changes.ts'
import { sameValue } from './same-attributes.ts'
import { marshall } from '../../wire/marshall.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { WriteTarget } from './write-target.ts'

/** Options of an update that change nothing. */
const conditional = new Set(['when', 'expect', 'upsert'])

/** Whether an item is what an update, whose answer was lost, has made of it: one version further, with all that it sets. */
export function hasTaken(
  current: AttributeItem,
  { patch, changes }: Pick<Update, 'patch' | 'changes'>,
  {
    seen,
    version: column,
    dates,
  }: Pick<WriteTarget, 'version' | 'dates'> & { readonly seen: number | undefined },
): boolean {
  if (seen === undefined || column === undefined) return false
  // What is added to something cannot be told from what another write has added.
  const isAdded = Object.keys(changes).some((change) => !conditional.has(change))
  if (isAdded || current[column]?.N !== String(seen + 1)) return false
  return Object.entries(patch).every(([name, value]: [string, unknown]) => {
    if (value === undefined || name === column) return true
    const stored = Object.hasOwn(current, name) ? current[name] : undefined
    if (value === null || (value instanceof Set && value.size === 0)) return stored === undefined
    return stored !== undefined && sameValue(stored, marshall(value, name, dates))
  })
}
