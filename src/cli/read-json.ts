import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { UsageError } from './command.ts'

/** A JSON file, or the standard input for `-`. @throws UsageError */
export async function readJson(file: string): Promise<unknown> {
  const content = file === '-' ? await text(process.stdin) : readText(file)
  try {
    return JSON.parse(content) as unknown
  } catch {
    throw new UsageError(`${file === '-' ? 'The standard input' : file} is no JSON`)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`There is no file ${file}`)
  }
}
