import { inspect } from 'node:util'

/** All text that can be found from a value: keys, causes, hidden properties, what getters give, and how Node shows it. */
export function reachableText(value: unknown): string {
  const texts = [
    inspect(value, { showHidden: true, depth: Infinity, getters: true, maxStringLength: Infinity }),
  ]
  const seen = new Set<unknown>()
  const queue = [value]
  for (let item = queue.pop(); queue.length > 0 || item !== undefined; item = queue.pop()) {
    if (typeof item === 'string') texts.push(item)
    if ((typeof item !== 'object' && typeof item !== 'function') || item === null || seen.has(item)) continue
    seen.add(item)
    if (ArrayBuffer.isView(item)) texts.push(Buffer.from(item.buffer).toString('latin1'))
    if (item instanceof Map || item instanceof Set) queue.push(Array.from(item as Iterable<unknown>))
    for (const key of Reflect.ownKeys(item)) {
      texts.push(String(key))
      try {
        queue.push((item as Record<PropertyKey, unknown>)[key])
      } catch {
        // A getter of Node's that is of no use here.
      }
    }
  }
  return texts.join('\n')
}
