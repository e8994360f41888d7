import type { InputError } from '../errors/index.ts'

const maxNames = 10

/** The fields that do not fit, for a message: `data.price, data.lines.0.sku`. Names only, never a value. */
export function fieldNames(errors: readonly InputError[]): string {
  const names = [
    ...new Set(errors.map(({ in: part, path }) => [...(part ? [part] : []), ...path].map(String).join('.'))),
  ]
  return names.length > maxNames
    ? `${names.slice(0, maxNames).join(', ')} and ${names.length - maxNames} more`
    : names.join(', ')
}
