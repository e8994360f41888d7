import { mkdirSync, writeFileSync } from 'node:fs'
import { machine, table } from './harness.ts'
import { benchHttp } from './http.ts'

const http = await benchHttp()
process.stdout.write(
  `${table(
    'One JSON POST, warm',
    ['', 'µs', 'ratio'],
    http.map(({ name, median, ratio }) => [name, median.toFixed(2), ratio.toFixed(2)]),
  )}\n\n${machine()}, ${new Date().toISOString().slice(0, 10)}\n`,
)
mkdirSync('.bench', { recursive: true })
writeFileSync(
  '.bench/results.json',
  JSON.stringify({ machine: machine(), date: new Date().toISOString(), http }, null, 2),
)
