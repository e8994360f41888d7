import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { PGlite } from '@electric-sql/pglite'
import { model } from 'clearskies-middy'
import { type DynamoDbBackend, transact } from 'clearskies-middy/backends/dynamodb'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import pg from 'pg'
import { afterEach, vi } from 'vitest'
import { uniqueName } from './contract-models.ts'
import { faultyTable } from './dynamodb-cases.ts'
import { createTableOf } from './dynamodb-tables.ts'
import { PostgresFaultProxy, type PostgresSession } from './postgres-fault-proxy.ts'
import { type AnyKysely, createSqlTable } from './sql-tables.ts'
import { type ToldEngine, type ToldFault, type ToldWorker, isOpen, jobs } from './told-writes.ts'

const key = { id: 'job' }
const taken = { state: 'taken' }
const note = { id: 'note' }
const jobModel = () => model({ name: uniqueName('jobs'), ...jobs })
type JobModel = ReturnType<typeof jobModel>
type Job = Awaited<ReturnType<JobModel['validate']>>

const fault = (name: ToldFault['name'], knows: ToldFault['knows'], isRetried: boolean): ToldFault => ({
  name,
  knows,
  isRetried,
})

function useClosing(): { close(): unknown }[] {
  const closing: { close(): unknown }[] = []
  afterEach(async () => {
    vi.restoreAllMocks()
    await Promise.all(closing.splice(0).map((open) => open.close()))
  })
  return closing
}

interface ToldDynamoDb extends Pick<ToldEngine, 'name' | 'hasTransactions'> {
  /** Whether a failed condition comes with the item. */
  readonly givesItems?: boolean
}

/** DynamoDB. The client tries again after every fault. */
export function toldOnDynamoDb(
  client: () => DynamoDBClient,
  { name, hasTransactions, givesItems = true }: ToldDynamoDb,
): ToldEngine {
  const closing = useClosing()
  const worker = (backend: DynamoDbBackend<Job, Job, 'id'>): ToldWorker => ({
    jobs: backend,
    transact: () =>
      transact([backend.prepare.update(key, taken, isOpen), backend.prepare.create({ ...note, ...taken })]),
  })
  return {
    name,
    hasTransactions,
    knowsTransactions: true,
    faults: [
      fault('throttle', 'refused', true),
      fault('conflict', 'refused', true),
      fault('internal', 'unanswered', true),
      fault('reset-before', 'unanswered', true),
      fault('reset-after', 'unanswered', true),
    ].slice(0, givesItems ? undefined : 1),
    async open(version) {
      const made = jobModel()
      await createTableOf(client(), made)
      const options = version === undefined ? {} : { version }
      const { backend, calm, proxy } = await faultyTable(client(), made, { closing, options, maxAttempts: 3 })
      proxy.givesItems = givesItems
      return {
        faulty: worker(backend),
        calm: worker(calm),
        break({ at: [action] }, { name: what }, isLasting) {
          if (isLasting) proxy.plan = (request) => (request.action === action ? what : undefined)
          else proxy.queue(action, what)
        },
        onFault: (run) => void (proxy.onFault = run),
        faults: () => proxy.faults,
      }
    },
  }
}

/** PostgreSQL. What meets other work is tried again by the backend, and nothing else by anybody. */
export function toldOnPostgres(
  name: string,
  database: () => {
    readonly db: pg.Pool | PGlite
    readonly kysely: AnyKysely
    readonly open: (startup: Buffer) => Promise<PostgresSession>
    readonly connect?: pg.PoolConfig
  },
): ToldEngine {
  const closing = useClosing()
  const tables = new Map<string | undefined, Promise<JobModel>>()
  async function created(kysely: AnyKysely): Promise<JobModel> {
    const made = jobModel()
    await createSqlTable(kysely, 'postgres', made)
    return made
  }
  return {
    name,
    hasTransactions: true,
    knowsTransactions: false,
    faults: [
      fault('throttle', 'refused', false),
      fault('conflict', 'refused', true),
      fault('internal', 'unanswered', false),
      fault('reset-before', 'unanswered', false),
      fault('reset-after', 'unanswered', false),
    ],
    async open(version) {
      const { db, kysely, open, connect } = database()
      const table = tables.get(version) ?? created(kysely)
      tables.set(version, table)
      const made = await table
      await kysely.deleteFrom(made.name).execute()
      const proxy = await PostgresFaultProxy.start(open)
      const pool = new pg.Pool({ host: '127.0.0.1', port: proxy.port, user: 'any', max: 1, ...connect })
      // The pool tells of connections that end, and so does each that is borrowed.
      pool.on('error', () => undefined)
      pool.on('connect', (client) => client.on('error', () => undefined))
      closing.push({ close: () => pool.end().then(() => proxy.close()) })
      vi.spyOn(Math, 'random').mockReturnValue(0)
      const worker = (to: pg.Pool | PGlite): ToldWorker => {
        const backend = new SqlBackend(made, { db: to, ...(version !== undefined && { version }) })
        return {
          jobs: backend,
          transact: () =>
            backend.transaction(async (inside) => {
              await inside.update(key, taken, isOpen)
              await inside.create({ ...note, ...taken })
            }),
        }
      }
      return {
        faulty: worker(pool),
        calm: worker(db),
        break({ at: [, statement] }, { name: what }, isLasting) {
          proxy.plan = (sql) =>
            sql.startsWith(statement) && (isLasting || proxy.faults.length === 0) ? what : undefined
        },
        onFault: (run) => void (proxy.onFault = run),
        faults: () => proxy.faults,
      }
    },
  }
}
