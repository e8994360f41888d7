#!/usr/bin/env node
// Before anything else is loaded: on an old Node that would end with a syntax error somewhere inside.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`clearskies-middy needs Node 22.12 or later, and this is ${process.version}\n`)
  process.exit(1)
}
const { run } = await import('./run.ts')
process.exitCode = await run(process.argv.slice(2))

export {}
