import type { Pool as MysqlPool, PoolOptions } from 'mysql2/promise'
import type { Pool as PgPool, PoolConfig } from 'pg'
import { ConfigurationError } from '../../errors.ts'
import { optionalImport } from '../../optional-import.ts'
import { type DatabaseSettings, isAddress, isDsql } from './settings.ts'
import type { Trust } from './tls.ts'
import { type TunnelEntry, TunnelSocket } from './tunnel-socket.ts'

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
  /** Where the tunnel is entered, if there is one. */
  readonly enter: (() => Promise<TunnelEntry>) | undefined
  /** Told of connections that end while nobody uses them. */
  readonly onIdleError: (error: unknown) => void
}

/** Milliseconds for a connection to be made, its token included. */
const connectTimeout = 10_000

/**
 * Sessions of Aurora DSQL end after an hour.
 *
 * @see https://docs.aws.amazon.com/aurora-dsql/latest/userguide/CHAP_quotas.html
 */
const dsqlLifetime = 3300

/** A pool of `pg`, whose every new connection has a new token, and whose certificate is checked before it is sent. */
export async function pgPool(parts: PoolParts): Promise<PgPool> {
  const { settings, trust, insecure, password, max, enter, onIdleError } = parts
  const { default: pg } = await optionalImport('pg', () => import('pg'))
  const config: PoolConfig = {
    host: settings.host,
    port: settings.port,
    user: settings.username,
    database: settings.database,
    password,
    max,
    connectionTimeoutMillis: connectTimeout,
    allowExitOnIdle: true,
    ...(isDsql(settings.endpoint) && { maxLifetimeSeconds: dsqlLifetime }),
    // Said in any case: left out, environment variables decide whether there is TLS.
    ssl:
      trust !== undefined &&
      ({
        secureContext: trust.secureContext,
        rejectUnauthorized: !insecure,
        // Set to the name that a certificate must have. From a name in `host`, pg would take that one.
        ...(!isAddress(settings.endpoint) && { servername: settings.endpoint }),
      }),
    ...(enter !== undefined && { host: '127.0.0.1', stream: () => new TunnelSocket(enter) }),
  }
  const pool = new pg.Pool(config)
  // An idle connection that ends is an event; without a listener it ends the process.
  pool.on('error', onIdleError)
  return pool
}

/** A pool of `mysql2/promise`, by the same rules. */
export async function mysqlPool(parts: PoolParts): Promise<MysqlPool> {
  const { settings, trust, insecure, password, isToken, max, enter } = parts
  const { createPool } = await optionalImport('mysql2', () => import('mysql2/promise'))
  const { connect } = process.getBuiltinModule('node:net')
  // The name is what the certificate is checked against; where to connect is told to the socket.
  const isElsewhere = settings.host !== settings.endpoint
  const options: PoolOptions = {
    host: settings.endpoint,
    port: settings.port,
    user: settings.username,
    database: settings.database,
    connectionLimit: max,
    connectTimeout,
    ...(trust !== undefined && {
      ssl: { ca: trust.ca, minVersion: 'TLSv1.2', rejectUnauthorized: !insecure, verifyIdentity: !insecure },
    }),
    ...(isElsewhere && { stream: () => connect(settings.port, settings.host) }),
    ...(enter !== undefined && { stream: () => new TunnelSocket(enter).connect() }),
    ...(isToken
      ? { authPlugins: { mysql_clear_password: clearPassword(password) } }
      : { password: await password() }),
  }
  return createPool(options)
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
