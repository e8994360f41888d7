import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import * as z from 'zod'
import { model } from '../dist/backends/model.js'
import { SqlBackend } from '../dist/backends/sql.js'
import { type ConnectionDetails, iamDbAuth } from '../dist/middleware/iam-db-auth.js'
import { makeCertificate, noCertificates } from '../test/support/certificates.ts'
import { fakePostgres } from '../test/support/fake-postgres.ts'
import { type Contender, type Measurement, compare, table } from './harness.ts'

/** What SqlBackend adds to Kysely, one group per operation. */
export interface SqlCost {
  readonly operation: string
  readonly measurements: readonly Measurement[]
}

interface Orders {
  orders: { id: number; customer: string; state: string; total: number; note: string | null }
}

const OrderSchema = z.object({
  id: z.number(),
  customer: z.string(),
  state: z.string(),
  total: z.number(),
  note: z.string().optional(),
})
const Order = model({ name: 'orders', key: ['id'], schema: OrderSchema })
const columns = ['id', 'customer', 'state', 'total', 'note'] as const

/** Runs one after the other, as a handler does. */
function contender(name: string, run: (input: number) => Promise<unknown>): Contender {
  let next = 0
  return {
    name,
    prepare: (count) => Array.from({ length: count }, () => next++),
    async run(inputs) {
      for (const input of inputs) await run(input as number)
    },
  }
}

export async function benchSql(rounds: number): Promise<SqlCost[]> {
  const pglite = new PGlite()
  const kysely = new Kysely<Orders>({ dialect: new PGliteDialect({ pglite }) })
  const orders = new SqlBackend(Order, { db: kysely })
  await pglite.exec(
    'create table orders (id integer primary key, customer text, state text, total double precision, note text)',
  )
  await orders.createMany(Array.from({ length: 1000 }, (_, id) => order(id)))
  const options = { count: 200, rounds, warmUp: Math.min(5, rounds), batch: 50 }
  const groups: Record<string, Contender[]> = {
    find: [
      contender('Kysely', (id) =>
        kysely
          .selectFrom('orders')
          .select(columns)
          .where('id', '=', id % 1000)
          .executeTakeFirst(),
      ),
      contender('SqlBackend', (id) => orders.find({ id: id % 1000 })),
    ],
    'page of 20': [
      contender('Kysely', () =>
        kysely
          .selectFrom('orders')
          .select(columns)
          .where('state', '=', 'placed')
          .orderBy('total', 'asc')
          .orderBy('id', 'asc')
          .limit(21)
          .execute(),
      ),
      contender('SqlBackend', () => orders.where('state', '=', 'placed').sortBy('total').limit(20).page()),
    ],
    create: [
      contender('Kysely and zod', (id) =>
        kysely
          .insertInto('orders')
          .values({ note: null, ...OrderSchema.parse(order(id + 1_000_000)) })
          .returning(columns)
          .executeTakeFirstOrThrow(),
      ),
      contender('SqlBackend', (id) => orders.create(order(id + 2_000_000))),
    ],
  }
  const costs: SqlCost[] = []
  for (const [operation, contenders] of Object.entries(groups))
    costs.push({ operation, measurements: await compare(contenders, options) })
  await pglite.close()
  return costs
}

function order(id: number): z.output<typeof OrderSchema> {
  return { id, customer: `customer-${id % 50}`, state: id % 2 === 0 ? 'placed' : 'sent', total: id / 4 }
}

/** What a new token takes, and a query of the pool beside one of a bare pool; nothing without openssl. */
export async function benchIamDbAuth(rounds: number): Promise<SqlCost[]> {
  if (noCertificates() !== undefined) return []
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  const endpoint = 'shop.c1.eu-central-1.rds.amazonaws.com'
  const certificate = makeCertificate(directory, 'rds', `DNS:${endpoint}`)
  const server = fakePostgres(certificate)
  await server.start()
  const keys = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' }
  Object.assign(process.env, keys)
  const { port } = server
  const settings = { host: '127.0.0.1', port, max: 1 }
  const iam = iamDbAuth({
    ...settings,
    engine: 'postgres',
    endpoint,
    username: 'app',
    database: 'shop',
    ca: certificate.certFile,
  })
  const context: { db?: pg.Pool; connectionDetails?: ConnectionDetails } = {}
  await iam.before?.({ context } as never)
  const { db, connectionDetails } = context as Required<typeof context>
  const bare = new pg.Pool({
    ...settings,
    user: 'app',
    password: 'x',
    database: 'shop',
    ssl: { ca: certificate.cert, servername: endpoint },
  })
  try {
    return [
      {
        operation: 'a warm query',
        measurements: await compare(
          [
            contender('pg.Pool', () => bare.query('select 1')),
            contender('context.db', () => db.query('select 1')),
          ],
          { count: 1000, rounds, warmUp: Math.min(10, rounds) },
        ),
      },
      {
        operation: 'a token',
        measurements: await compare([contender('connectionDetails', () => connectionDetails.password())], {
          count: 100,
          rounds,
          warmUp: Math.min(5, rounds),
        }),
      },
    ]
  } finally {
    await Promise.all([iam.end(), bare.end()])
    await server.stop()
    rmSync(directory, { recursive: true })
  }
}

export function sqlTable(title: string, costs: readonly SqlCost[]): string {
  return table(
    title,
    ['', 'µs', 'ratio'],
    costs.flatMap(({ operation, measurements }) =>
      measurements.map(({ name, median, ratio }) => [
        `${operation}: ${name}`,
        median.toFixed(0),
        `${ratio.toFixed(2)}×`,
      ]),
    ),
  )
}
