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

/** Resolves at Ctrl-C or SIGTERM. Until then the process goes on, even if nothing else keeps it. */
export function stopped(): Promise<void> {
  const alive = setInterval(() => undefined, 2 ** 30)
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        clearInterval(alive)
        resolve()
      })
  })
}
