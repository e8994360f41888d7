import type { Pool as MysqlPool, PoolOptions } from 'mysql2/promise'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import type { Client as PgClient, Pool as PgPool, PoolConfig } from 'pg'
import { ConfigurationError } from '../../errors/index.ts'
import { atRunTime, optionalImport } from '../../core/optional-import.ts'
import { type Done, retriedWhenBusy } from './busy-retry.ts'
import { type Entry, EntrySocket } from './entry-socket.ts'
import { type DatabaseSettings, isAddress, isDsql } from './settings.ts'
import type { Trust } from './tls.ts'

/** What a pool needs beside the settings. */
export interface PoolParts {
  readonly settings: DatabaseSettings
  /** `undefined` for no TLS at all, which only a password may be sent without. */
  readonly trust: Trust | undefined
  /** Whether any certificate will do. */
  readonly insecure: boolean
  /** Gives the password of one new connection. */
  readonly password: () => Promise<string>
  /** Whether the password is a token, which is sent as it stands. */
  readonly isToken: boolean
  readonly max: number
  /** Where a connection goes, if that is not the endpoint itself. */
  readonly enter: (() => Promise<Entry>) | undefined
  /** Told of connections that end while nobody uses them. */
  readonly onIdleError: (error: unknown) => void
}

/** Milliseconds for a connection to be made, its token included. */
const connectTimeout = 10_000

/**
 * Milliseconds that an idle connection is kept. Making one costs a token and some round trips, and RDS takes about 200
 * a second; after a longer freeze of the function the other side may have given it up.
 */
const idleTimeout = 600_000

/**
 * Seconds, for sessions of Aurora DSQL end after an hour.
 *
 * @see https://docs.aws.amazon.com/aurora-dsql/latest/userguide/CHAP_quotas.html
 */
const dsqlLifetime = 3300

/** A pool of `pg`, whose every new connection has a new token, and whose certificate is checked before it is sent. */
export async function pgPool(parts: PoolParts): Promise<PgPool> {
  const { settings, trust, insecure, password, max, enter, onIdleError } = parts
  const { default: pg } = await optionalImport('pg', () => import('pg').catch(atRunTime))
  const config: PoolConfig = {
    host: settings.endpoint,
    port: settings.port,
    user: settings.username,
    database: settings.database,
    password,
    max,
    connectionTimeoutMillis: connectTimeout,
    idleTimeoutMillis: idleTimeout,
    keepAlive: true,
    allowExitOnIdle: true,
    ...(isDsql(settings.endpoint) && { maxLifetimeSeconds: dsqlLifetime }),
    // Said in any case: left out, environment variables decide whether there is TLS.
    ssl: trust !== undefined && {
      secureContext: trust.secureContext,
      rejectUnauthorized: !insecure,
      // The name that a certificate must have.
      ...(!isAddress(settings.endpoint) && { servername: settings.endpoint }),
    },
    // Told a name, pg would check the certificate against that one; the socket knows where to go.
    ...(enter !== undefined && { host: '127.0.0.1', stream: () => new EntrySocket(enter) }),
  }
  const pool = new pg.Pool({ ...config, Client: closedOnError(pg.Client) })
  // An idle connection that ends is an event; without a listener it ends the process.
  pool.on('error', onIdleError)
  // So it is with one that is in use: the error is the query's, which fails with it.
  pool.on('connect', (client) => client.on('error', () => undefined))
  retryConnect(pool)
  return pool
}

/** Where no token can be had, pg leaves the connection open that was to be logged in on. */
function closedOnError(Client: typeof PgClient): typeof PgClient {
  type Connect = (done: (error?: Error) => void) => void
  return class extends Client {
    override connect = ((done) => {
      const connect = super.connect.bind(this) as Connect
      connect((error) => {
        if (error) (this as unknown as { connection: { stream: Socket } }).connection.stream.destroy()
        done(error)
      })
    }) as Connect as PgClient['connect']
  }
}

/** `pool.query()` and every other way to a connection end in `connect()`. */
function retryConnect(pool: PgPool): void {
  const own = pool.connect.bind(pool) as (done?: Done) => Promise<unknown>
  const connect = retriedWhenBusy((done) => void own(done))
  const promised = promisify(connect)
  pool.connect = ((done?: Done) => {
    // Who gets a connection that is there already is not refused.
    if (pool.idleCount > 0) return own(done)
    if (done === undefined) return promised()
    connect(done)
    return undefined
  }) as PgPool['connect']
}

/** A pool of `mysql2/promise`, by the same rules. */
export async function mysqlPool(parts: PoolParts): Promise<MysqlPool> {
  const { settings, trust, insecure, password, isToken, max, enter } = parts
  const { createPool } = await optionalImport('mysql2', () => import('mysql2/promise').catch(atRunTime))
  const pool = createPool({
    // The name is what the certificate is checked against; where to connect is told to the socket.
    host: settings.endpoint,
    port: settings.port,
    user: settings.username,
    database: settings.database,
    connectionLimit: max,
    connectTimeout,
    // Times are of nobody's zone, and numbers beyond 2^53 text instead of others.
    timezone: 'Z',
    supportBigNumbers: true,
    ...(trust !== undefined && {
      ssl: { ca: trust.ca, minVersion: 'TLSv1.2', rejectUnauthorized: !insecure, verifyIdentity: !insecure },
    }),
    ...(enter !== undefined && { stream: () => new EntrySocket(enter).connect() }),
    ...(isToken
      ? { authPlugins: { mysql_clear_password: clearPassword(password) } }
      : { stream: passwordFirst(password, enter ?? (() => Promise.resolve(settings))) }),
  })
  const { pool: inner } = pool as unknown as { readonly pool: { getConnection: (done: never) => void } }
  inner.getConnection = retriedWhenBusy(inner.getConnection.bind(inner) as never)
  return pool
}

type AuthPlugin = NonNullable<PoolOptions['authPlugins']>[string]

/** MySQL's way to send a token: as it stands, so only through TLS. A new one for each connection. */
function clearPassword(password: () => Promise<string>): AuthPlugin {
  return ({ connection }) =>
    async () => {
      const { stream } = connection as unknown as { readonly stream?: { readonly encrypted?: boolean } }
      if (stream?.encrypted !== true)
        throw new ConfigurationError('The connection is not encrypted, so the token was not sent')
      return Buffer.from(`${await password()}\0`)
    }
}

/** mysql2 takes a password as text alone: it is asked for anew, and set where nothing lists it, before it is needed. */
function passwordFirst(password: () => Promise<string>, enter: () => Promise<Entry>) {
  return ({ config }: { readonly config: object }): EntrySocket =>
    new EntrySocket(async () => {
      Object.defineProperty(config, 'password', { value: await password(), enumerable: false })
      return enter()
    }).connect()
}
