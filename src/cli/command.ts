import { type ParseArgsConfig, parseArgs } from 'node:util'

/** What was typed cannot be done: told in one line, with the exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** An option as it is typed. */
interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** What stands behind it in the help: `N`, `FILE`. */
  readonly value?: string
  readonly help: string
}

/** One command. */
export interface CliCommand {
  readonly name: string
  /** The positional arguments: `MODULE[#EXPORT]`. */
  readonly usage: string
  readonly summary: string
  readonly options: Readonly<Record<string, OptionSpec>>
  /** How many positional arguments it takes. */
  readonly positionals: readonly [least: number, most: number]
  /** @returns the exit code */
  run(typed: Typed): Promise<number>
}

/** What was typed behind a command. */
export class Typed {
  readonly positionals: readonly string[]
  readonly #values: Readonly<Record<string, unknown>>

  constructor(positionals: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.positionals = positionals
    this.#values = values
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  /** @throws UsageError for what is no number, or out of its range */
  number(name: string, least: number, most: number = Infinity): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (text.trim() !== '' && Number.isFinite(value) && value >= least && value <= most) return value
    const range = most === Infinity ? `from ${least}` : `from ${least} to ${most}`
    throw new UsageError(`--${name} takes a number ${range}, and not "${text}"`)
  }

  /** @throws UsageError for what is no whole number, or out of its range */
  integer(name: string, least: number, most?: number): number | undefined {
    const value = this.number(name, least, most)
    if (value === undefined || Number.isInteger(value)) return value
    throw new UsageError(`--${name} takes a whole number, and not "${value}"`)
  }
}

/** What every command takes that runs a handler. */
export const handlerOptions: CliCommand['options'] = {
  'env-file': { type: 'string', value: 'FILE', help: 'read environment variables from a file' },
  timeout: { type: 'string', value: 'SECONDS', help: "the function's timeout (default 30, at most 900)" },
  memory: {
    type: 'string',
    value: 'MB',
    help: "the function's memory, as its context tells it (default 256)",
  },
}

/** The function's timeout in milliseconds: Lambda gives 15 minutes at most. @throws UsageError */
export function timeoutOf(typed: Typed): number {
  return (typed.number('timeout', 0.001, 900) ?? 30) * 1000
}

/** @throws UsageError */
export function typedFor(command: CliCommand, args: readonly string[]): Typed {
  const { positionals, values } = parse(args, command)
  const [least, most] = command.positionals
  if (positionals.length < least) throw new UsageError(`${command.name} needs ${command.usage}`)
  if (positionals.length > most)
    throw new UsageError(`${command.name} does not know what "${positionals[most] ?? ''}" is`)
  return new Typed(positionals, values)
}

function parse(args: readonly string[], { options }: CliCommand): ReturnType<typeof parseArgs> {
  const config: ParseArgsConfig = {
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }])),
    allowPositionals: true,
    // A lone dash stands for the standard input.
    strict: true,
  }
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError(
      error instanceof Error ? (error.message.split(/\.? *\n|\. /)[0] ?? '') : String(error),
    )
  }
}

export function helpOf({ name, usage, summary, options }: CliCommand): string {
  const rows = Object.entries(options).map(([option, { value, help }]): [string, string] => [
    `--${option}${value === undefined ? '' : ` ${value}`}`,
    help,
  ])
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`)
  return [`${summary}\n`, `Usage: clearskies-middy ${name} ${usage} [options]`, '', ...lines].join('\n')
}
