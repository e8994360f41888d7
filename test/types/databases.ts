// Compiled, never run: what iamDbAuth() leaves in the context of a chain (Y7).
import middy from '@middy/core'
import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import type { Pool as MysqlPool } from 'mysql2/promise'
import type { Pool as PgPool } from 'pg'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

export const two = middy()
  .use(iamDbAuth({ engine: 'postgres', pool: { application_name: 'shop' } }))
  .use(iamDbAuth({ engine: 'mysql', as: 'reader', pool: { dateStrings: true }, statementTimeout: 1000 }))
  .handler(async (_event, context) => {
    const isPg: Same<typeof context.db, PgPool> = true
    const isMysql: Same<typeof context.reader, MysqlPool> = true
    const ca: string[] | undefined = context.connectionDetails.ca
    // @ts-expect-error: no such key
    const none: unknown = context.writer
    return [isPg, isMysql, ca, none]
  })

export const onlyReader = middy()
  .use(iamDbAuth({ engine: 'postgres', as: 'reader' }))
  .handler(async (_event, context) => {
    // @ts-expect-error: it is at "reader"
    const none: unknown = context.db
    return [context.reader.totalCount, none]
  })

export const named = (name: string) =>
  middy()
    .use(iamDbAuth({ engine: 'postgres', as: name }))
    .handler(async (_event, context) => {
      const maybe: PgPool | undefined = context[name]
      return maybe?.totalCount
    })

// @ts-expect-error: an option of the other driver
iamDbAuth({ engine: 'postgres', pool: { dateStrings: true } })
// @ts-expect-error: iamDbAuth() itself says who logs in
iamDbAuth({ engine: 'postgres', pool: { user: 'app' } })
// @ts-expect-error: and how it is encrypted
iamDbAuth({ engine: 'mysql', pool: { ssl: {} } })
