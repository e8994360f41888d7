type Check = (value: never) => boolean

/**
 * Refuses unknown and wrong options when a factory is called, which on Lambda is the cold start: a typing mistake
 * shows in the deployment and not in one invocation of many.
 */
export function checkOptions(
  factory: string,
  options: object,
  checks: Readonly<Record<string, Check>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (!check)
      throw new TypeError(`${factory}() has no option "${name}"; it has ${Object.keys(checks).join(', ')}`)
    if (value !== undefined && !check(value as never))
      throw new TypeError(`${factory}(): the option "${name}" has a wrong value`)
  }
}

/** An option of a type. */
export function is(
  type: 'string' | 'number' | 'boolean' | 'function' | 'object',
): (value: unknown) => boolean {
  return (value) => typeof value === type
}

/** An option that takes one of a few words. */
export function oneOf(...words: readonly unknown[]): (value: unknown) => boolean {
  return (value) => words.includes(value)
}

/** An option with the console's shape. */
export function isLogger(value: Partial<Record<'error' | 'warn', unknown>> | null): boolean {
  return typeof value?.error === 'function' && typeof value.warn === 'function'
}

/** An option that counts: 0, 1, 2, … */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
