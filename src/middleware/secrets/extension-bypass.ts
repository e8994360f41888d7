/** Milliseconds for which the extension may still hold an older value: the most that it can be told to. */
const memory = 300_000

/** More secrets than any handler writes. */
const maxBypassed = 1000

/** Until when names are read past the extension; one process has one extension. */
const untilByName = new Map<string, number>()

// A name and an ARN may be of the same secret.
const everyArn = 'arn:*'
const everyName = '*'

/** The extension has a cache of its own, which does not hear of what was written or read anew without it. */
export function bypassExtension(name: string, isWritten: boolean): void {
  const alias = name.startsWith('arn:') ? everyName : everyArn
  for (const key of isWritten ? [name, alias] : [name]) {
    untilByName.delete(key)
    untilByName.set(key, Date.now() + memory)
  }
  if (untilByName.size > maxBypassed) untilByName.delete(untilByName.keys().next().value as string)
}

export function isPastExtension(name: string): boolean {
  const keys = name.startsWith('arn:') ? [name, everyName, everyArn] : [name, everyName]
  return keys.some((key) => (untilByName.get(key) ?? 0) > Date.now())
}
