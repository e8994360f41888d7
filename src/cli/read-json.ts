import { existsSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { UsageError } from './command.ts'
import { tell } from './terminal.ts'

/** A JSON file, or the standard input for `-`. @throws UsageError */
export async function readJson(file: string): Promise<unknown> {
  if (file === '-' && process.stdin.isTTY) tell('Reading the event from the terminal: Ctrl-D ends it')
  const content = file === '-' ? await text(process.stdin) : readText(file)
  try {
    return JSON.parse(content) as unknown
  } catch {
    const name = file === '-' ? 'The standard input' : file
    throw new UsageError(`${name} is ${content.trim() === '' ? 'empty: an event is JSON' : 'no JSON'}`)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(existsSync(file) ? `${file} cannot be read as a file` : `There is no file ${file}`)
  }
}
