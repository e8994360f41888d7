import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchColdStart, benchEntries, coldStartTable, entriesTable } from './cold-start.ts'
import { machine } from './harness.ts'
import { benchGrowth, benchRequests, growthTable, requestTables } from './http.ts'
import { benchFirstValue, firstValueTable } from './secrets-cold-start.ts'
import { benchFiles, benchSchemas, importTable } from './schema-libraries.ts'
import { benchFifo, benchRecords, fifoTable, recordsTable } from './sqs-records.ts'
import { benchStreams, streamsTable } from './streams.ts'

// A few rounds show that everything runs; the numbers mean something with all of them.
const { quick = false } = parseArgs({ options: { quick: { type: 'boolean' } } }).values
const say = (text: string): void => void process.stdout.write(`${text}\n`)

say(`${machine()}, ${new Date().toISOString().slice(0, 10)}`)
const requests = await benchRequests(quick ? 3 : 31)
say(requestTables(requests))
const growth = await benchGrowth(quick ? 3 : 15)
say(growthTable(growth))
const { benchServe, serveTable } = await import('./serve.ts')
const served = await benchServe(quick ? 1 : 11, quick ? 2000 : 20_000)
say(serveTable(served))
const { benchStreamed, streamedTable } = await import('./streamed.ts')
const streamed = await benchStreamed(quick ? 1 : 21)
say(streamedTable(streamed))
const records = await benchRecords(quick ? 1 : 31)
say(recordsTable(records))
const fifo = await benchFifo(quick ? 3 : 9)
say(fifoTable(fifo))
const streams = await benchStreams(quick ? 1 : 31)
say(streamsTable(streams))
// Not before: with a backend for SQS loaded, records cost more than without.
const { benchSend, sendTable } = await import('./sqs-send.ts')
const messages = quick ? 1000 : 10_000
const sends = await benchSend(messages, quick ? 1 : 3)
say(sendTable(sends, messages))
const { benchCalls, benchOutage, benchWarm, callsTable, closeSecrets, outageTable, warmTable } =
  await import('./secrets.ts')
const secretsWarm = await benchWarm(quick ? 3 : 41)
say(warmTable(secretsWarm))
const secretsCalls = await benchCalls()
say(callsTable(secretsCalls))
const secretsOutage = await benchOutage()
say(outageTable(secretsOutage))
await closeSecrets()
const dynamoDb = await import('./dynamodb.ts')
await dynamoDb.openTable()
const dynamoPure = dynamoDb.benchPure(quick ? 3 : 31)
say(dynamoDb.pureTable(dynamoPure))
const dynamoCalls = await dynamoDb.benchCalls(quick ? 2 : 21)
say(dynamoDb.callTable(dynamoCalls))
const dynamoTables = await dynamoDb.benchTables(quick ? [1000] : [1000, 10_000, 100_000])
say(dynamoDb.tablesTable(dynamoTables))
dynamoDb.closeTable()
const firstValue = await benchFirstValue(quick ? 1 : 20)
say(firstValueTable(firstValue))
const { benchIamDbAuth, benchSql, sqlTable } = await import('./sql.ts')
const iamDb = await benchIamDbAuth(quick ? 1 : 21)
say(sqlTable('iamDbAuth() beside a bare pool', iamDb))
const sql = await benchSql(quick ? 1 : 21)
say(sqlTable('SqlBackend beside Kysely itself, on PGlite', sql))
const coldStart = await benchColdStart(quick ? 2 : 20)
say(coldStartTable(coldStart))
const { benchLight, lightTable } = await import('./light.ts')
const lightStart = await benchLight(quick ? 2 : 20)
say(lightTable(lightStart))
const entries = await benchEntries()
say(entriesTable(entries))
const schemas = await benchSchemas(quick ? 1 : 9)
say(importTable('Schema libraries: import, fresh processes', schemas))
const files = await benchFiles(quick ? 1 : 9)
say(importTable('The library: import, fresh processes', files))

mkdirSync('.bench', { recursive: true })
const results = {
  machine: machine(),
  date: new Date().toISOString(),
  requests,
  served,
  streamed,
  growth,
  records,
  fifo,
  streams,
  sends,
  sql,
  iamDb,
  secretsWarm,
  secretsCalls,
  secretsOutage,
  dynamoPure,
  dynamoCalls,
  dynamoTables,
  firstValue,
  coldStart,
  lightStart,
  entries,
  schemas,
  files,
}
writeFileSync('.bench/results.json', `${JSON.stringify(results, null, 2)}\n`)
say('\nWritten to bench/.bench/results.json')
