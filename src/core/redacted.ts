/** Where `util.inspect`, and with it `console.log`, asks an object how to show itself. */
export const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/**
 * An object whose properties can be read by name and are shown by nothing: no listing, spread, `JSON.stringify` or
 * `util.inspect` meets them.
 */
export function redacted(getters: Readonly<Record<string, () => unknown>>, shown: string): object {
  const prototype = Object.create(null) as object
  for (const [name, get] of Object.entries(getters)) Object.defineProperty(prototype, name, { get })
  for (const method of ['toJSON', inspect]) Object.defineProperty(prototype, method, { value: () => shown })
  return Object.create(prototype) as object
}
