import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import { asRecord } from '../core/record.ts'
import { print, tell } from './terminal.ts'
import { type CliCommand, UsageError, helpOf, typedFor } from './command.ts'
import { eventCommand } from './event-command.ts'
import { inspectCommand } from './inspect-command.ts'
import { invokeCommand } from './invoke-command.ts'
import { pollCommand } from './poll-command.ts'
import { serveCommand } from './serve-command.ts'
import { LoadError } from './load-handler.ts'

const commands: readonly CliCommand[] = [
  serveCommand,
  invokeCommand,
  pollCommand,
  eventCommand,
  inspectCommand,
]

const help = [
  'Runs Lambda handlers on this machine.\n',
  'Usage: clearskies-middy COMMAND …\n',
  ...commands.map(({ name, usage, summary }) => `  ${`${name} ${usage}`.padEnd(42)}  ${summary}`),
  '\nEach command has --help. --version tells the version.',
].join('\n')

/** The version of this package. */
function version(): string {
  const manifest = asRecord(createRequire(import.meta.url)('clearskies-middy/package.json'))
  return String(manifest?.['version'])
}

/**
 * Runs what was typed.
 *
 * @returns the exit code: 0, 1 for what failed, 2 for what cannot be done as it was typed
 */
export async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args[0] === 'help' && args[1] !== undefined ? [args[1], '--help'] : args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    print(help)
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    print(version())
    return 0
  }
  const command = commands.find((known) => known.name === name)
  if (command === undefined) {
    tell(`There is no command "${name}"; there are ${commands.map((known) => known.name).join(', ')}`)
    return 2
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    print(helpOf(command))
    return 0
  }
  try {
    return await command.run(typedFor(command, rest))
  } catch (error) {
    if (error instanceof UsageError) {
      tell(`${error.message}: see clearskies-middy ${name} --help`)
      return 2
    }
    // Of an error of the user's own code, the stack tells where.
    tell(error instanceof LoadError ? error.message : inspect(error))
    return 1
  }
}
