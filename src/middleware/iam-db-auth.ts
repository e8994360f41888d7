import { ConfigurationError } from '../errors/index.ts'
import { checkOptions, is, isLogger, oneOf } from '../core/options.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'
import { type UnknownRecord, asRecord } from '../core/record.ts'
import { isContextKey } from '../invocation/context-key.ts'
import { finalizeResponse, scopeOf, withinInvocation } from '../invocation/middy-request.ts'
import { checkDriverOptions } from './database/driver-options.ts'
import type { OpenDatabase } from './database/open-database.ts'
import type { DatabaseContext, IamDbAuthOptions } from './database/options.ts'
import type { DatabaseEngine } from './database/settings.ts'
import { SharedDatabase } from './database/shared-database.ts'

export type {
  Bastion,
  ConnectionDetails,
  DatabaseContext,
  DatabasePool,
  IamDbAuthOptions,
} from './database/options.ts'

/** The middleware, and how to close what it has opened. */
export type IamDbAuth<TEngine extends DatabaseEngine, TAs extends string = 'db'> = Middleware<
  unknown,
  DatabaseContext<TEngine, TAs>
> & {
  /** Ends the pool and the tunnel. */
  readonly end: () => Promise<void>
}

/**
 * Puts a pool into the context whose connections authenticate with IAM: each new one with a token of its own, over TLS,
 * to a host whose certificate was checked. The pool is made once per process. Needs `pg` or `mysql2`,
 * `@aws-sdk/rds-signer` (`@aws-sdk/dsql-signer` for Aurora DSQL) or `signer: 'light'`, and the permission `rds-db:connect`.
 *
 * Settings come from `db_endpoint`, `db_port`, `db_username`, `db_database`, `ssl_ca_bundle_filename` and `AWS_REGION`
 * (or `DATABASE_HOST` and so on), through `environment()` if that is in front; options come before them.
 *
 * A connection that an invocation has not given back is closed when the invocation ends, and its statement cancelled.
 *
 * @throws ConfigurationError at the first invocation, for a setting that is missing or wrong, or a key of the context that
 * is taken; StatementTimeoutError, ConnectionTimeoutError by the pool
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
export function iamDbAuth<const TEngine extends DatabaseEngine, const TAs extends string = 'db'>(
  options: IamDbAuthOptions<TEngine, TAs>,
): IamDbAuth<TEngine, TAs> {
  checkIamDbAuth(options)
  const { as = 'db' } = options
  const placed = new WeakSet<object>()
  const database = new SharedDatabase(options)

  function place(context: UnknownRecord, { db, connectionDetails }: OpenDatabase<TEngine>): void {
    const there = asRecord(context[as])
    if (there !== undefined && !placed.has(there))
      throw new ConfigurationError(
        `iamDbAuth(): the context has "${as}" already; give this one another key by the option "as"`,
      )
    placed.add(db)
    Object.assign(context, { [as]: db })
    if (as === 'db' || context['connectionDetails'] === undefined)
      Object.assign(context, { connectionDetails })
  }

  /** Ends what the invocation has not given back. */
  function giveBack(request: MiddyRequest): void | Promise<void> {
    const scope = scopeOf(request)
    return scope && database.open?.loans.end(scope)
  }

  return {
    before: function iamDbAuthBefore(request: MiddyRequest): void | Promise<void> {
      return withinInvocation(request, ({ recordId }) => {
        const context = asRecord(request.context)
        if (recordId === undefined)
          finalizeResponse(request, async (response) => {
            await giveBack(request)
            return response
          })
        if (database.open === undefined) return database.join(context).then((made) => place(context, made))
        place(context, database.open)
        return undefined
      })
    },
    after: function iamDbAuthAfter(request: MiddyRequest): void | Promise<void> {
      return giveBack(request)
    },
    onError: function iamDbAuthOnError(request: MiddyRequest): void | Promise<void> {
      return giveBack(request)
    },
    end: () => database.end(),
  }
}

/** @throws TypeError */
function checkIamDbAuth(options: IamDbAuthOptions): void {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  const isPositive = (value: number): boolean => Number.isSafeInteger(value) && value > 0
  checkOptions('iamDbAuth', options, {
    engine: oneOf('postgres', 'mysql'),
    as: isContextKey('db'),
    auth: oneOf('iam', 'password'),
    signer: oneOf('sdk', 'light'),
    endpoint: isText,
    host: isText,
    port: isPositive,
    username: isText,
    database: isText,
    region: isText,
    ca: isText,
    max: isPositive,
    pool: (value: unknown) => asRecord(value) !== undefined,
    statementTimeout: isPositive,
    tls: is('boolean'),
    insecure: is('boolean'),
    bastion: (value: unknown) => typeof asRecord(value)?.['open'] === 'function',
    logger: isLogger,
  })
  const { engine, auth = 'iam', tls = true, pool } = options
  if ((engine as unknown) === undefined) throw new TypeError('iamDbAuth() needs the option "engine"')
  if (!tls && auth === 'iam') throw new TypeError('iamDbAuth(): a token is never sent without TLS')
  checkDriverOptions(engine, pool)
}
