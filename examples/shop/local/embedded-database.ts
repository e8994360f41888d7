import type { Middleware } from 'clearskies-middy'
import type { Database } from '../orders-database.ts'

/** PostgreSQL inside this process, in memory. It stands for `iamDbAuth()` where there is no server. */
export function embeddedDatabase(): Middleware<unknown, { readonly db: Database }> {
  let opening: Promise<Database> | undefined

  async function open(): Promise<Database> {
    const { PGlite } = await import('@electric-sql/pglite')
    return PGlite.create()
  }

  return {
    before: async function embeddedDatabaseBefore({ context }): Promise<void> {
      Object.assign(context, { db: await (opening ??= open()) })
    },
  }
}
