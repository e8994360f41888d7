/** Properties of a prototype that its instances have as their own, too. */
export type OwnProperties = readonly (readonly [name: string, property: PropertyDescriptor])[]

/**
 * Lets the instances of a class pass for plain data. Loggers that leave something out, and marshallers, walk only into
 * what `constructor` calls an `Object`; else they print it whole.
 *
 * @param names - Accessors that a spread, a clone and `JSON.stringify` read: for {@link addProperties}
 */
export function passForPlainData(prototype: object, names: readonly string[] = []): OwnProperties {
  if (prototype.constructor !== Object) Object.defineProperty(prototype, 'constructor', { value: Object })
  return names.map((name) => [
    name,
    { ...Object.getOwnPropertyDescriptor(prototype, name), enumerable: true, configurable: true },
  ])
}

/** Adds shared properties to an instance. One after the other: `defineProperties` takes three times as long. */
export function addProperties(instance: object, properties: OwnProperties): void {
  for (const [name, property] of properties) Object.defineProperty(instance, name, property)
}
