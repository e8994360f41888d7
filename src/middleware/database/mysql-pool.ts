import type { Pool as MysqlPool, PoolOptions } from 'mysql2/promise'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { ConfigurationError, StatementTimeoutError } from '../../errors/index.ts'
import { atRunTime, optionalImport } from '../../core/optional-import.ts'
import { asRecord } from '../../core/record.ts'
import { type PoolAccess, acquisition } from './acquire.ts'
import type { Acquire, Done } from './busy-retry.ts'
import { type Entry, EntrySocket } from './entry-socket.ts'
import { ConnectTimeout } from './patience.ts'
import type { PasswordSource } from './password-source.ts'
import { type PoolParts, cancelTimeout, idleTimeout, replaceable, summarize } from './pool-parts.ts'
import { StatementClock } from './statement-clock.ts'

/** What of `mysql2` is used beyond its types: the pool that its promises wrap, and the connections of that. */
interface InnerPool extends EventEmitter {
  readonly config: { readonly connectionConfig: object }
  readonly _allConnections: { readonly length: number }
  readonly _freeConnections: { readonly length: number }
  getConnection: Acquire<InnerConnection>
  end(done?: unknown): void
}

interface InnerConnection extends EventEmitter {
  readonly stream: Socket
  readonly threadId: number
  readonly config: object
  readonly _closing?: boolean
  addCommand(command: DriverCommand): unknown
  release(): void
  /** Takes it out of the pool. */
  _removeFromPool(): void
  /** Says goodbye. */
  _realEnd(done: () => void): void
}

interface DriverCommand extends EventEmitter {
  onResult?: (error: unknown, ...rest: unknown[]) => void
}

type Kill = (connection: InnerConnection) => Promise<void>

/** A pool of `mysql2/promise`, by the same rules. */
export async function mysqlPool(parts: PoolParts): Promise<MysqlPool> {
  const { createPool, createConnection } = await optionalImport('mysql2', () =>
    import('mysql2/promise').catch(atRunTime),
  )
  const { driver, max } = parts
  const config = configOf(parts)
  const pool = createPool({ ...config, connectionLimit: max })
  const { pool: inner } = pool as unknown as { readonly pool: InnerPool }
  const timeout = new ConnectTimeout(asRecord(driver)['connectTimeout'])
  // Read for each connection, because each invocation has its own time left.
  const setting = { get: () => timeout.ofDriver, enumerable: true }
  Object.defineProperty(inner.config.connectionConfig, 'connectTimeout', setting)
  const kill: Kill = async ({ threadId }) => {
    const connection = await createConnection({ ...config, connectTimeout: cancelTimeout })
    await connection
      .query({ sql: `KILL ${threadId}`, timeout: cancelTimeout })
      .finally(() => connection.destroy())
  }
  const clocks = new WeakMap<object, StatementClock>()
  inner.on('connection', (connection: InnerConnection) => {
    // Older versions have one configuration for all, where the password of the next one may stand already.
    if (connection.config !== inner.config.connectionConfig) setPassword(connection.config, undefined)
    clocks.set(connection, watchConnection(connection, parts, kill))
  })
  closeIdle(inner, Number(asRecord(driver)['idleTimeout'] ?? idleTimeout))
  improveConnect(inner, parts, { timeout, lend: lender(parts, clocks, kill) })
  takeCallbacks(pool, inner)
  for (const each of [pool, inner]) summarize(each, parts)
  return pool
}

function configOf({ settings, trust, insecure, passwords, isToken, enter, driver }: PoolParts): PoolOptions {
  return {
    // Times are of nobody's zone, and numbers beyond 2^53 text instead of others.
    timezone: 'Z',
    supportBigNumbers: true,
    ...driver,
    // The name is what the certificate is checked against; where to connect is told to the socket.
    host: settings.endpoint,
    port: settings.port,
    user: settings.username,
    database: settings.database,
    ...(trust !== undefined && {
      ssl: { ca: trust.ca, minVersion: 'TLSv1.2', rejectUnauthorized: !insecure, verifyIdentity: !insecure },
    }),
    ...(enter !== undefined && { stream: () => new EntrySocket(enter).connect() }),
    ...(isToken
      ? { authPlugins: { mysql_clear_password: clearPassword(passwords) } }
      : { stream: passwordFirst(passwords, enter ?? (() => Promise.resolve(settings))) }),
  }
}

type AuthPlugin = NonNullable<PoolOptions['authPlugins']>[string]

/** MySQL's way to send a token: as it stands, so only through TLS. A new one for each connection. */
function clearPassword({ read }: PasswordSource): AuthPlugin {
  return ({ connection }) =>
    async () => {
      const { stream } = connection as unknown as { readonly stream?: { readonly encrypted?: boolean } }
      if (stream?.encrypted !== true)
        throw new ConfigurationError('The connection is not encrypted, so the token was not sent')
      return Buffer.from(`${await read()}\0`)
    }
}

/** mysql2 takes a password as text alone: it is asked for anew, and set where nothing lists it, before it is needed. */
function passwordFirst(passwords: PasswordSource, enter: () => Promise<Entry>) {
  return ({ config }: { readonly config: object }): EntrySocket => {
    const password = passwords.forNewConnection()
    return new EntrySocket(async () => {
      setPassword(config, await password())
      return enter()
    }).connect()
  }
}

function setPassword(config: object, value: string | undefined): void {
  Object.defineProperty(config, 'password', { value, enumerable: false, configurable: true, writable: true })
}

/** `pool.query()` and every other way to a connection end in `getConnection()`. */
function improveConnect(
  inner: InnerPool,
  { passwords, loans, max, onTimeout }: PoolParts,
  { timeout, lend }: Pick<PoolAccess<InnerConnection>, 'timeout' | 'lend'>,
): void {
  const own = inner.getConnection.bind(inner)
  const connect = acquisition<InnerConnection>({
    acquire: passed(own),
    max,
    total: () => inner._allConnections.length,
    idle: () => inner._freeConnections.length,
    timeout,
    lend,
    passwords,
    loans,
    onTimeout,
  })
  inner.getConnection = (done) => {
    // The pool calls itself for those who wait.
    if (passedOn.has(done)) own(done)
    else connect(done)
  }
}

/** The callbacks with which the pool's own way is taken. */
const passedOn = new WeakSet<object>()

function passed(own: Acquire<InnerConnection>): Acquire<InnerConnection> {
  return (done) => {
    passedOn.add(done)
    own(done)
  }
}

/** Watches a new connection: how long its statements take, and whether the server has ended it. */
function watchConnection(
  connection: InnerConnection,
  { statementTimeout, loans, onTimeout }: PoolParts,
  kill: Kill,
): StatementClock {
  const { stream } = connection
  // An error ends a connection, and may be told twice.
  connection.on('error', () => undefined)
  const clock = new StatementClock(statementTimeout, (milliseconds) => {
    // First, so that the way to cancel it is another one.
    onTimeout()
    loans.cancelling(kill(connection))
    stream.destroy(new StatementTimeoutError(milliseconds))
  })
  stream.once('close', () => {
    clock.stop()
  })
  // Within TLS the driver does not notice, and would use it once more.
  stream.once('end', () => {
    if (connection._closing !== true) stream.destroy(connectionLost())
  })
  const add = connection.addCommand.bind(connection)
  connection.addCommand = (command) => {
    hideStatement(command)
    command.once('end', () => {
      clock.finish()
    })
    clock.begin()
    return add(command)
  }
  return clock
}

function connectionLost(): Error {
  const error = new Error('Connection lost: The server closed the connection.')
  return Object.assign(error, { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })
}

/** An error of the driver has the statement, with the values that it was given: nothing to be logged. */
function hideStatement(command: DriverCommand): void {
  const { onResult } = command
  if (onResult === undefined) return
  command.onResult = (error, ...rest) => {
    if (error instanceof Error) Reflect.deleteProperty(error, 'sql')
    Reflect.apply(onResult, command, [error, ...rest])
  }
}

/** Notes what is lent, until it is given back, and ends it with its invocation. */
function lender(
  { loans }: PoolParts,
  clocks: WeakMap<object, StatementClock>,
  kill: Kill,
): PoolAccess<InnerConnection>['lend'] {
  return (connection, borrower) => {
    const returned = loans.lend(() => {
      const isBusy = clocks.get(connection)?.isBusy === true
      connection._removeFromPool()
      if (isBusy) connection.stream.destroy(new StatementTimeoutError())
      else connection._realEnd(() => undefined)
      return isBusy ? kill(connection) : undefined
    }, borrower)
    connection.release = () => {
      // That of the class shows again.
      Reflect.deleteProperty(connection, 'release')
      returned()
      connection.release()
    }
    return connection
  }
}

/** The driver closes idle connections only where more may be open than idle, and then the rest at once. */
function closeIdle(inner: InnerPool, milliseconds: number): void {
  const timers = new WeakMap<InnerConnection, ReturnType<typeof setTimeout>>()
  inner.on('release', (connection: InnerConnection) => {
    const close = (): void => {
      connection._removeFromPool()
      connection._realEnd(() => undefined)
    }
    timers.set(connection, setTimeout(close, milliseconds).unref())
  })
  const stop = (connection: InnerConnection): void => {
    clearTimeout(timers.get(connection))
  }
  inner.on('acquire', stop)
  inner.on('connection', (connection: InnerConnection) => {
    connection.stream.once('close', () => {
      stop(connection)
    })
  })
}

/** The pool of promises takes callbacks, too, as libraries on top of `mysql2` call it (Kysely). */
function takeCallbacks(pool: MysqlPool, inner: InnerPool): void {
  const getConnection = pool.getConnection.bind(pool)
  const end = pool.end.bind(pool)
  Object.defineProperty(pool, 'getConnection', {
    ...replaceable,
    value: (done?: Done<InnerConnection>) =>
      done === undefined ? getConnection() : inner.getConnection(done),
  })
  Object.defineProperty(pool, 'end', {
    ...replaceable,
    value: (done?: unknown) => (done === undefined ? end() : inner.end(done)),
  })
}
