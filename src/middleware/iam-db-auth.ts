import type { Pool as MysqlPool } from 'mysql2/promise'
import type { Pool as PgPool } from 'pg'
import { ConfigurationError } from '../errors.ts'
import { defaultLogger, say } from '../logger.ts'
import { checkOptions, is, isLogger, oneOf } from '../options.ts'
import type { Logger, MiddyRequest, Middleware } from '../types.ts'
import { mysqlPool, pgPool } from './database/pools.ts'
import {
  type DatabaseEngine,
  type DatabaseOverrides,
  type DatabaseSettings,
  isAddress,
  readSettings,
  variable,
} from './database/settings.ts'
import { trust } from './database/tls.ts'
import { tokenSource } from './database/token.ts'
import type { TunnelEntry } from './database/tunnel-socket.ts'
import { Environment } from './environment.ts'

/** A way to a database in a private subnet; `ssmBastion()` makes one. */
export interface Bastion {
  /** Opens a tunnel to an endpoint, or gives the one that is open. */
  open(endpoint: string, port: number): Promise<TunnelEntry>
  close(): Promise<void>
}

/** Options of {@link iamDbAuth}. */
export interface IamDbAuthOptions<TEngine extends DatabaseEngine = DatabaseEngine> extends DatabaseOverrides {
  readonly engine: TEngine
  /** `password` takes `db_password` from the environment, where it may be a `secret://`, instead of a token. @default 'iam' */
  readonly auth?: 'iam' | 'password'
  /** Connections at most. A function's process works one invocation at a time. @default 2 */
  readonly max?: number
  /** `false` connects without TLS: with a password, and to this very machine only. @default true */
  readonly tls?: boolean
  /** Accepts any certificate, so that whoever is on the way can read the token. For tests. @default false */
  readonly insecure?: boolean
  /** A tunnel to the database, for development. */
  readonly bastion?: Bastion
  /** Told of connections that end while nobody uses them. @default console */
  readonly logger?: Logger
}

/** How to connect, for clients other than the pool. The password is made anew each time, and nothing shows it. */
export interface ConnectionDetails {
  readonly engine: DatabaseEngine
  /** Where to connect to. */
  readonly host: string
  readonly port: number
  /** The name that the server's certificate must have. */
  readonly endpoint: string
  readonly username: string
  readonly database: string
  readonly region: string | undefined
  /** The certificates to trust; `undefined` without TLS. */
  readonly ca: string[] | undefined
  readonly password: () => Promise<string>
}

/** The pool of an engine. */
export type DatabasePool<TEngine extends DatabaseEngine> = TEngine extends 'postgres' ? PgPool : MysqlPool

/** What the middleware leaves in the context. */
export interface DatabaseContext<TEngine extends DatabaseEngine> {
  readonly db: DatabasePool<TEngine>
  readonly connectionDetails: ConnectionDetails
}

/** The middleware, and how to close what it has opened. */
export type IamDbAuth<TEngine extends DatabaseEngine> = Middleware<unknown, DatabaseContext<TEngine>> & {
  /** Ends the pool and the tunnel. */
  readonly end: () => Promise<void>
}

interface Open<TEngine extends DatabaseEngine> extends DatabaseContext<TEngine> {
  readonly close: () => Promise<void>
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
  let opening: Promise<Open<TEngine>> | undefined
  let open: Open<TEngine> | undefined

  async function end(): Promise<void> {
    const closing = opening
    opening = undefined
    open = undefined
    await (await closing?.catch(() => undefined))?.close()
  }

  function place(context: Record<string, unknown>, { db, connectionDetails }: Open<TEngine>): void {
    Object.assign(context, { db, connectionDetails })
  }

  return {
    before: function iamDbAuthBefore(request: MiddyRequest): void | Promise<void> {
      const context = request.context as unknown as Record<string, unknown>
      if (open !== undefined) {
        place(context, open)
        return
      }
      const environment = Object.values(context).find((value) => value instanceof Environment)
      opening ??= openDatabase(options, environment).catch((error: unknown) => {
        opening = undefined // What is missing now may be there at the next invocation.
        throw error
      })
      return opening.then((made) => {
        open ??= made
        place(context, made)
      })
    },
    end,
  }
}

async function openDatabase<TEngine extends DatabaseEngine>(
  options: IamDbAuthOptions<TEngine>,
  environment: Environment | undefined,
): Promise<Open<TEngine>> {
  const {
    engine,
    auth = 'iam',
    tls = true,
    insecure = false,
    max = 2,
    bastion,
    logger = defaultLogger,
  } = options
  const settings = await readSettings(engine, options, environment)
  refuseUnsafe(settings, { auth, tls, insecure })
  const trusted = tls ? trust(settings.ca) : undefined
  const password = auth === 'iam' ? await tokenSource(settings) : () => passwordFrom(environment)
  const enter = bastion && (() => bastion.open(settings.endpoint, settings.port))
  const parts = {
    settings,
    trust: trusted,
    insecure,
    password,
    isToken: auth === 'iam',
    max,
    enter,
    onIdleError: (error: unknown) => {
      say(logger, 'warn', 'A connection to the database ended; the next query makes a new one', error)
    },
  }
  const db = (engine === 'postgres' ? await pgPool(parts) : await mysqlPool(parts)) as DatabasePool<TEngine>
  const at = (await enter?.()) ?? { host: settings.host, port: settings.port }
  const close = async (): Promise<void> => {
    await db.end()
    await bastion?.close()
  }
  endOnShutdown(close)
  return { db, connectionDetails: detailsOf(settings, at, trusted?.ca, password), close }
}

function refuseUnsafe(
  { engine, endpoint, host }: DatabaseSettings,
  { auth, tls, insecure }: { auth: string; tls: boolean; insecure: boolean },
): void {
  if (!tls && !['localhost', '127.0.0.1', '::1'].includes(host))
    throw new ConfigurationError('iamDbAuth(): without TLS a password is sent to this very machine only')
  if (auth === 'iam' && isAddress(endpoint) && !insecure)
    throw new ConfigurationError(
      `iamDbAuth(): db_endpoint is an address, and the certificate of ${engine} names a host: give its name, and the address as the option "host"`,
    )
}

async function passwordFrom(environment: Environment | undefined): Promise<string> {
  const password = await variable('password', environment)
  if (password === undefined)
    throw new ConfigurationError(
      'iamDbAuth(): the password is not known: set db_password or DATABASE_PASSWORD',
    )
  return password
}

function detailsOf(
  { engine, endpoint, username, database, region }: DatabaseSettings,
  { host, port }: TunnelEntry,
  ca: string[] | undefined,
  password: () => Promise<string>,
): ConnectionDetails {
  return Object.freeze({ engine, host, port, endpoint, username, database, region, ca, password })
}

/** Lambda says that it ends a process only where an extension runs, and gives it half a second. */
function endOnShutdown(close: () => Promise<void>): void {
  if (process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined) return
  process.once('SIGTERM', () => {
    void close().finally(() => process.exit(0))
  })
}
