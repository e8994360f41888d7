/** The method that `util.inspect` and `console.log` call to show an object. */
export const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/**
 * An object whose properties can be read by name only. `Object.keys`, a spread, `JSON.stringify` and `util.inspect` do
 * not show them.
 *
 * @param shown - What `JSON.stringify` and `util.inspect` show instead
 */
export function redacted(getters: Readonly<Record<string, () => unknown>>, shown: string): object {
  const prototype = Object.create(null) as object
  for (const [name, get] of Object.entries(getters)) Object.defineProperty(prototype, name, { get })
  for (const method of ['toJSON', inspect]) Object.defineProperty(prototype, method, { value: () => shown })
  return Object.create(prototype) as object
}
