// What SqlBackend does, over an embedded PostgreSQL. Beside whole servers: npm run test:databases.
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { afterAll } from 'vitest'
import { sqlContract } from './contract.ts'

const pglite = new PGlite()
const kysely = new Kysely<Record<string, Record<string, unknown>>>({ dialect: new PGliteDialect({ pglite }) })
afterAll(() => pglite.close())

sqlContract({ name: 'PGlite', engine: 'postgres', pool: () => pglite, kysely: () => kysely })
