import type { InputError } from '../errors/index.ts'

const most = 10

/** The fields that do not fit, for a message: `data.price, data.lines.0.sku`. Names only, never a value. */
export function fieldNames(errors: readonly InputError[]): string {
  const names = [
    ...new Set(errors.map(({ in: part, path }) => [...(part ? [part] : []), ...path].map(String).join('.'))),
  ]
  return names.length > most
    ? `${names.slice(0, most).join(', ')} and ${names.length - most} more`
    : names.join(', ')
}
