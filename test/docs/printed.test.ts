// A sample that says what it prints is run, and has to print that.
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** What is printed by the module itself, each with what the sample says of it, if anything. */
const prints = /^console\.log\((?:.*?|\n.*\n)\)(?: \/\/ (.+))?$/gm

const samples = globSync(['README.md', 'docs/*.md']).flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^```ts\n([^]*?)^```$/gm)].flatMap(({ 1: code = '', index }) => {
    const printed = [...code.matchAll(prints)].map(([, text = '…']) => text)
    // A port of its own may be taken here.
    return printed.every((text) => text === '…' || text.includes('localhost:'))
      ? []
      : [{ title: `${file}, at ${index}`, code, printed }]
  }),
)

/** The first lines of a module's output. It may go on, as a server does: it is ended then. */
async function run(code: string, lines: number): Promise<string[]> {
  const file = resolve(`test/docs/.printed-${process.pid}.ts`)
  writeFileSync(file, code)
  const child = spawn(process.execPath, ['--conditions=clearskies-middy-source', file], {
    env: {
      PATH: process.env['PATH'],
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const printed: string[] = []
  for await (const line of createInterface(child.stdout)) if (printed.push(line) === lines) break
  child.kill()
  await closed
  rmSync(file)
  return printed
}

describe('samples print what they say', () => {
  it.each(samples)('$title', async ({ code, printed }) => {
    const patterns = printed.map((text) => {
      const literal = text.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      return new RegExp(`^${literal.join('.+')}$`)
    })
    expect(await run(code, printed.length)).toEqual(
      patterns.map((pattern) => expect.stringMatching(pattern) as string),
    )
  })
})
