import { styleText } from 'node:util'

/** Tells of the work on the standard error: in colour on a terminal, in plain lines elsewhere. */
export function tell(text: string, format?: 'green' | 'red' | 'yellow' | 'dim'): void {
  const line = format === undefined ? text : styleText(format, text, { stream: process.stderr })
  process.stderr.write(`${line}\n`)
}

/** Writes what was asked for to the standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Resolves at Ctrl-C or SIGTERM. */
export function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolve()
      })
  })
}
