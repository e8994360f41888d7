type OptionCheck = (value: never) => boolean

/** The options that there are, and what each takes. */
export type OptionChecks = Readonly<Record<string, OptionCheck>>

/**
 * Refuses unknown and wrong options when a factory is called. On Lambda this is the cold start, so a typing mistake
 * shows at the deployment.
 *
 * @throws TypeError that names the option
 */
export function checkOptions(factory: string, options: object, checks: OptionChecks): void {
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (!check)
      throw new TypeError(`${factory}() has no option "${name}"; it has ${Object.keys(checks).join(', ')}`)
    if (value !== undefined && !check(value as never))
      throw new TypeError(`${factory}(): the option "${name}" has a wrong value`)
  }
}

/** Checks an option that has a type. */
export function is(
  type: 'string' | 'number' | 'boolean' | 'function' | 'object',
): (value: unknown) => boolean {
  return (value) => typeof value === type
}

/** Checks an option that takes one of a few values. */
export function oneOf(...words: readonly unknown[]): (value: unknown) => boolean {
  return (value) => words.includes(value)
}

/** Checks an option that has the console's shape. */
export function isLogger(value: Partial<Record<'error' | 'warn', unknown>> | null): boolean {
  return typeof value?.error === 'function' && typeof value.warn === 'function'
}

/** Checks an option that is a count: 0, 1, 2, … */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
