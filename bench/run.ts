import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchColdStart, benchEntries, coldStartTable, entriesTable } from './cold-start.ts'
import { machine } from './harness.ts'
import { benchGrowth, benchRequests, growthTable, requestTables } from './http.ts'

// A few rounds show that everything runs; the numbers mean something with all of them.
const { quick = false } = parseArgs({ options: { quick: { type: 'boolean' } } }).values
const say = (text: string): void => void process.stdout.write(`${text}\n`)

say(`${machine()}, ${new Date().toISOString().slice(0, 10)}`)
const requests = await benchRequests(quick ? 3 : 31)
say(requestTables(requests))
const growth = await benchGrowth(quick ? 3 : 15)
say(growthTable(growth))
const coldStart = await benchColdStart(quick ? 2 : 20)
say(coldStartTable(coldStart))
const entries = await benchEntries()
say(entriesTable(entries))

mkdirSync('.bench', { recursive: true })
const results = { machine: machine(), date: new Date().toISOString(), requests, growth, coldStart, entries }
writeFileSync('.bench/results.json', `${JSON.stringify(results, null, 2)}\n`)
say('\nWritten to bench/.bench/results.json')
