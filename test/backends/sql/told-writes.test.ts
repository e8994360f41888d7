// What a write to a SQL database came to is told truly, whatever became of its connection (M1).
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { afterAll } from 'vitest'
import { embedded } from '../../support/postgres-fault-proxy.ts'
import { toldOnPostgres } from '../../support/told-engines.ts'
import { toldTruly } from '../../support/told-writes.ts'

const pglite = new PGlite()
const kysely = new Kysely<Record<string, Record<string, unknown>>>({ dialect: new PGliteDialect({ pglite }) })
afterAll(() => pglite.close())

toldTruly(toldOnPostgres('PGlite', () => ({ db: pglite, kysely, open: embedded(pglite) })))
