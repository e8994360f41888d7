import { print } from './terminal.ts'
import type { CliCommand } from './command.ts'
import { describedEvent, eventOptions, sourceNames } from './sources.ts'

export const eventCommand: CliCommand = {
  name: 'event',
  usage: 'SOURCE',
  summary: `Prints the event that AWS would send. Sources: ${sourceNames.join(', ')}`,
  options: eventOptions,
  positionals: [1, 1],
  run(typed) {
    const [source = ''] = typed.positionals
    print(JSON.stringify(describedEvent(source, typed), null, 2))
    return Promise.resolve(0)
  },
}
