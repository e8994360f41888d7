import type { Client as PgClient, Pool as PgPool, PoolClient, PoolConfig } from 'pg'
import { StatementTimeoutError } from '../../errors/index.ts'
import { atRunTime, optionalImport } from '../../core/optional-import.ts'
import { asRecord } from '../../core/record.ts'
import type { Scope } from '../../invocation/scope.ts'
import { type PoolAccess, acquisition } from './acquire.ts'
import type { Done } from './busy-retry.ts'
import { EntrySocket } from './entry-socket.ts'
import { ConnectTimeout } from './patience.ts'
import { cancelStatement, onReady, socketOf } from './pg-cancel.ts'
import { type PoolParts, idleTimeout, replaceable, summarize } from './pool-parts.ts'
import { isAddress, isDsql } from './settings.ts'
import { StatementClock } from './statement-clock.ts'

const { promisify } = process.getBuiltinModule('node:util')

/**
 * Seconds, for sessions of Aurora DSQL end after an hour.
 *
 * @see https://docs.aws.amazon.com/aurora-dsql/latest/userguide/CHAP_quotas.html
 */
const dsqlLifetime = 3300

/** A pool of `pg`, whose every new connection has a new token, and whose certificate is checked before it is sent. */
export async function pgPool(parts: PoolParts): Promise<PgPool> {
  const { default: pg } = await optionalImport('pg', () => import('pg').catch(atRunTime))
  const config = configOf(parts)
  const pool = new pg.Pool({ ...config, Client: ownClient(pg.Client, parts) })
  const timeout = new ConnectTimeout(asRecord(parts.driver)['connectionTimeoutMillis'])
  // Read for each connection, because each invocation has its own time left.
  Object.defineProperty(pool.options, 'connectionTimeoutMillis', { get: () => timeout.ofDriver })
  // An idle connection that ends is an event; without a listener it ends the process.
  pool.on('error', parts.onIdleError)
  const clocks = new WeakMap<object, StatementClock>()
  const cancel: Cancel = (client) => {
    const { ssl, stream } = config
    return cancelStatement(client, new pg.Connection({ ssl, ...(stream && { stream }) }), config)
  }
  pool.on('connect', (client) => {
    // So it is with one that is in use: the error is the query's, which fails with it.
    client.on('error', () => undefined)
    clocks.set(client, watchClient(client, parts, cancel))
  })
  improveConnect(pool, parts, { timeout, lend: lender(parts, clocks, cancel) })
  summarize(pool, parts)
  return pool
}

function configOf({ settings, trust, insecure, passwords, max, enter, driver }: PoolParts): PoolConfig {
  return {
    idleTimeoutMillis: idleTimeout,
    keepAlive: true,
    allowExitOnIdle: true,
    ...(isDsql(settings.endpoint) && { maxLifetimeSeconds: dsqlLifetime }),
    ...driver,
    host: settings.endpoint,
    port: settings.port,
    user: settings.username,
    database: settings.database,
    password: passwords.read,
    max,
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
}

/** Closes its socket where it cannot log in, and forgets its password once it has. */
function ownClient(Client: typeof PgClient, { passwords }: PoolParts): typeof PgClient {
  type Connect = (done: (error?: Error) => void) => void
  return class extends Client {
    constructor(config?: ConstructorParameters<typeof PgClient>[0]) {
      super(config)
      setPassword(this, passwords.forNewConnection())
    }

    override connect = ((done) => {
      const connect = super.connect.bind(this) as Connect
      connect((error) => {
        setPassword(this, undefined)
        // Where no token can be had, pg leaves the connection open that was to be logged in on.
        if (error) socketOf(this).destroy()
        done(error)
      })
    }) as Connect as PgClient['connect']
  }
}

/** `pg` asks a function for the password, and puts what it has got into two places that `util.inspect` can show. */
function setPassword(client: object, value: (() => Promise<string>) | undefined): void {
  for (const place of [client, asRecord(asRecord(client)['connectionParameters'])])
    if (place !== undefined)
      Object.defineProperty(place, 'password', {
        value,
        writable: true,
        configurable: true,
        enumerable: false,
      })
}

type Cancel = (client: PoolClient) => Promise<void>

/** Watches how long the statements of a client take. The database says when one has ended, and it is ready for the next. */
function watchClient(
  client: PoolClient,
  { statementTimeout, loans, onTimeout }: PoolParts,
  cancel: Cancel,
): StatementClock {
  const clock = new StatementClock(statementTimeout, (milliseconds) => {
    // First, so that the way to cancel it is another one.
    onTimeout()
    loans.cancelling(cancel(client))
    socketOf(client).destroy(new StatementTimeoutError(milliseconds))
  })
  const query = client.query.bind(client)
  Object.defineProperty(client, 'query', {
    ...replaceable,
    value: (...args: unknown[]): unknown => {
      const result: unknown = Reflect.apply(query, client, args)
      if (socketOf(client).writable) clock.begin()
      return result
    },
  })
  onReady(client, () => {
    clock.finish()
  })
  socketOf(client).once('close', () => {
    clock.stop()
  })
  return clock
}

/** Notes what is lent, until it is given back, and ends it with its invocation. */
function lender(
  { loans }: PoolParts,
  clocks: WeakMap<object, StatementClock>,
  cancel: Cancel,
): PoolAccess<PoolClient>['lend'] {
  return (client: PoolClient, borrower: Scope | undefined): PoolClient => {
    const { release } = client
    let isEnded = false
    const returned = loans.lend(() => {
      isEnded = true
      const isBusy = clocks.get(client)?.isBusy === true
      const cancellation = isBusy ? cancel(client) : undefined
      const error = new StatementTimeoutError()
      if (isBusy) socketOf(client).destroy(error)
      release(error)
      return cancellation
    }, borrower)
    client.release = (error) => {
      // The pool throws at a second time, and at nobody who could catch it.
      if (isEnded) return
      returned()
      release(error)
    }
    return client
  }
}

/** `pool.query()` and every other way to a connection end in `connect()`. */
function improveConnect(
  pool: PgPool,
  { passwords, loans, max, onTimeout }: PoolParts,
  { timeout, lend }: Pick<PoolAccess<PoolClient>, 'timeout' | 'lend'>,
): void {
  const own = pool.connect.bind(pool)
  const connect = acquisition<PoolClient>({
    acquire: (done) => {
      own((error, client) => {
        done(error, client)
      })
    },
    max,
    total: () => pool.totalCount,
    idle: () => pool.idleCount,
    timeout,
    lend,
    passwords,
    loans,
    onTimeout,
  })
  const promised = promisify(connect)
  Object.defineProperty(pool, 'connect', {
    ...replaceable,
    value: (done?: Done<PoolClient>) => (done === undefined ? promised() : connect(done)),
  })
}
