/** Whether a value has members that can be read. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a list. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** The value if it is a text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A variable of the environment. An empty one counts as absent. */
export function variable(name: string): string | undefined {
  return process.env[name] || undefined
}

/** Takes away the members that are `null`, at any depth: to these services they are absent, and the SDK gives none. */
export function dropNulls(value: unknown): void {
  if (isList(value)) value.forEach(dropNulls)
  if (!isRecord(value)) return
  for (const [name, part] of Object.entries(value))
    if (part === null) Reflect.deleteProperty(value, name)
    else dropNulls(part)
}
