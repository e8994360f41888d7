/** Whether a text meets a pattern of SQL: `%` stands for any text, `_` for one character. Nothing escapes either. */
export function meetsPattern(text: unknown, pattern: string): boolean {
  if (typeof text !== 'string') return false
  const source = pattern
    .replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
    .replaceAll('%', '.*')
    .replaceAll('_', '.')
  return new RegExp(`^${source}$`, 'su').test(text)
}
