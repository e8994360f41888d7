import { type UnknownRecord, asRecord } from '../../core/record.ts'

/**
 * Makes a context for each record of a batch: what the batch's chain has put there is seen by all, and what a record
 * puts there by that record alone.
 */
export function contextPerRecord(context: unknown): () => unknown {
  const shared = asRecord(context)
  if (shared === undefined) return () => context
  return canBeCopied(shared) ? () => ({ ...shared }) : () => overlay(shared)
}

/** A copy is by far the cheapest. It loses a class, and what is not enumerable. */
function canBeCopied(context: UnknownRecord): boolean {
  const prototype: unknown = Object.getPrototypeOf(context)
  return (
    (prototype === Object.prototype || prototype === null) &&
    Object.keys(context).length === Object.getOwnPropertyNames(context).length
  )
}

/** What is written stays in the overlay. Methods are those of the original, which keeps its state in itself. */
function overlay(original: UnknownRecord): object {
  const own: Record<PropertyKey, unknown> = {}
  const deleted = new Set<PropertyKey>()
  const methods = new Map<unknown, unknown>()

  function bound(value: unknown): unknown {
    if (typeof value !== 'function') return value
    const method: unknown = methods.get(value) ?? value.bind(original)
    methods.set(value, method)
    return method
  }

  const isShared = (key: PropertyKey): boolean => !Object.hasOwn(own, key) && !deleted.has(key)

  return new Proxy(own, {
    getPrototypeOf: () => Reflect.getPrototypeOf(original),
    has: (_, key) => Object.hasOwn(own, key) || (!deleted.has(key) && key in original),
    get: (_, key) => (isShared(key) ? bound(Reflect.get(original, key)) : own[key]),
    set: (_, key, value) =>
      Reflect.defineProperty(own, key, { value, writable: true, enumerable: true, configurable: true }),
    deleteProperty(_, key) {
      deleted.add(key)
      return Reflect.deleteProperty(own, key)
    },
    ownKeys: () => [
      ...new Set([...Reflect.ownKeys(own), ...Reflect.ownKeys(original).filter((key) => !deleted.has(key))]),
    ],
    getOwnPropertyDescriptor(_, key) {
      const descriptor = Reflect.getOwnPropertyDescriptor(isShared(key) ? original : own, key)
      if (descriptor === undefined || !isShared(key)) return descriptor
      // A proxy may not tell of anything fixed that its target does not have.
      return {
        value: bound(Reflect.get(original, key)),
        enumerable: descriptor.enumerable === true,
        writable: true,
        configurable: true,
      }
    },
  })
}
