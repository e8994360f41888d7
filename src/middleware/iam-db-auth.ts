import { checkOptions, is, isLogger, oneOf } from '../core/options.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'
import { type OpenDatabase, openDatabase } from './database/open-database.ts'
import type { DatabaseContext, IamDbAuthOptions } from './database/options.ts'
import type { DatabaseEngine } from './database/settings.ts'
import { Environment } from './environment.ts'

export type {
  Bastion,
  ConnectionDetails,
  DatabaseContext,
  DatabasePool,
  IamDbAuthOptions,
} from './database/options.ts'

/** The middleware, and how to close what it has opened. */
export type IamDbAuth<TEngine extends DatabaseEngine> = Middleware<unknown, DatabaseContext<TEngine>> & {
  /** Ends the pool and the tunnel. */
  readonly end: () => Promise<void>
}

/**
 * Puts a pool into the context whose connections authenticate with IAM: each new one with a token of its own, over TLS,
 * to a host whose certificate was checked. The pool is made once per process. Needs `pg` or `mysql2`,
 * `@aws-sdk/rds-signer` (`@aws-sdk/dsql-signer` for Aurora DSQL), and the permission `rds-db:connect`.
 *
 * Settings come from `db_endpoint`, `db_port`, `db_username`, `db_database`, `ssl_ca_bundle_filename` and `AWS_REGION`
 * (or `DATABASE_HOST` and so on), through `environment()` if that is in front; options come before them.
 *
 * @throws ConfigurationError at the first invocation, for a setting that is missing or wrong
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 *
 * export const handler = middy()
 *   .use(httpApi())
 *   .use(iamDbAuth({ engine: 'postgres' }))
 *   .handler(async (request, { db }) => {
 *     const { rows } = await db.query('select id, state from orders where id = $1', [request.query.get('id')])
 *     return rows
 *   })
 * ```
 */
export function iamDbAuth<const TEngine extends DatabaseEngine>(
  options: IamDbAuthOptions<TEngine>,
): IamDbAuth<TEngine> {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  const isPositive = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0
  checkOptions('iamDbAuth', options, {
    engine: oneOf('postgres', 'mysql'),
    auth: oneOf('iam', 'password'),
    endpoint: isText,
    host: isText,
    port: isPositive,
    username: isText,
    database: isText,
    region: isText,
    ca: isText,
    max: isPositive,
    tls: is('boolean'),
    insecure: is('boolean'),
    bastion: (value: unknown) => typeof (value as { open?: unknown } | null)?.open === 'function',
    logger: isLogger,
  })
  if ((options.engine as unknown) === undefined) throw new TypeError('iamDbAuth() needs the option "engine"')
  const { auth = 'iam', tls = true } = options
  if (!tls && auth === 'iam') throw new TypeError('iamDbAuth(): a token is never sent without TLS')
  let opening: Promise<OpenDatabase<TEngine>> | undefined
  let open: OpenDatabase<TEngine> | undefined

  async function end(): Promise<void> {
    const closing = opening
    opening = undefined
    open = undefined
    await (await closing?.catch(() => undefined))?.close()
  }

  function begin(context: Record<string, unknown>): Promise<OpenDatabase<TEngine>> {
    const environment = Object.values(context).find((value) => value instanceof Environment)
    const begun = openDatabase(options, environment)
    begun.then(
      (made) => {
        if (opening === begun) open = made
      },
      () => {
        if (opening === begun) opening = undefined // What is missing now may be there at the next invocation.
      },
    )
    return begun
  }

  function place(
    context: Record<string, unknown>,
    { db, connectionDetails }: DatabaseContext<TEngine>,
  ): void {
    Object.assign(context, { db, connectionDetails })
  }

  return {
    before: function iamDbAuthBefore(request: MiddyRequest): void | Promise<void> {
      const context = request.context as unknown as Record<string, unknown>
      if (open !== undefined) place(context, open)
      else return (opening ??= begin(context)).then((made) => place(context, made))
    },
    end,
  }
}
