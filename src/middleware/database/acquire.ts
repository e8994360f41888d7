import { ConnectionTimeoutError, StatementTimeoutError } from '../../errors/index.ts'
import { type Scope, currentScope } from '../../invocation/scope.ts'
import { type Acquire, type Done, retriedWhenBusy } from './busy-retry.ts'
import type { Loans } from './loans.ts'
import type { PasswordSource } from './password-source.ts'
import type { ConnectTimeout } from './patience.ts'

const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks')
const { promisify } = process.getBuiltinModule('node:util')

/** A driver's pool, as far as getting a connection goes. */
export interface PoolAccess<TConnection extends Releasable> {
  /** The driver's own way to get a connection. */
  readonly acquire: Acquire<TConnection>
  /** Connections at most. */
  readonly max: number
  /** Connections that there are, being made or not. */
  readonly total: () => number
  /** Connections that nobody uses. */
  readonly idle: () => number
  readonly timeout: ConnectTimeout
  /** Notes that a connection is lent, before anybody has it. */
  readonly lend: (connection: TConnection, borrower: Scope | undefined) => TConnection
  readonly passwords: PasswordSource
  readonly loans: Loans
  /** Told of a connection that was not made in time. */
  readonly onTimeout: () => void
}

/** A connection that can be given back. */
export interface Releasable {
  release(error?: unknown): void
}

/**
 * Milliseconds after which the idle connections of a pool are looked at before one is used. If the process was frozen
 * meanwhile, what the database has ended is known only when the event loop has turned.
 */
const trusted = 1000

/** How both drivers tell that a new connection was not made in time. */
const connectTimedOut = /ETIMEDOUT|connection timeout|timeout expired/

/** How `pg` tells that none was free in time. */
const noneWasFree = 'timeout exceeded when trying to connect'

/** The way to a connection, for both drivers: what is idle, a new one, or the next one that is given back. */
export function acquisition<TConnection extends Releasable>(
  pool: PoolAccess<TConnection>,
): Acquire<TConnection> {
  const connect = connecting(pool)
  let lastUse = 0

  function take(borrower: Scope | undefined, done: Done<TConnection>): void {
    // Who gets a connection that is there already is not refused.
    boundedWait(
      pool,
      pool.idle() > 0 ? pool.acquire : connect,
      borrower,
    )((error, connection) => {
      lastUse = Date.now()
      if (connection === undefined) done(error)
      else done(undefined, pool.lend(connection, borrower), connection.release)
    })
  }

  return (callback) => {
    const borrower = currentScope()
    // A connection that somebody gives back is handed over in the context of that one.
    const done = AsyncLocalStorage.bind(callback)
    const pause = Date.now() - lastUse
    if (pool.idle() === 0 || (pause >= 0 && pause < trusted)) take(borrower, done)
    else setImmediate(() => setImmediate(take, borrower, done))
  }
}

/** Makes a new connection, or waits for the next one. */
function connecting<TConnection extends Releasable>({
  acquire,
  timeout,
  passwords,
  onTimeout,
}: PoolAccess<TConnection>): Acquire<TConnection> {
  const retried = retriedWhenBusy<TConnection>((done) => {
    timeout.apply(() => {
      acquire((error, ...rest) => {
        if (connectTimedOut.test(`${String(error?.code)} ${error?.message}`)) onTimeout()
        done(error, ...rest)
      })
    })
  })
  if (!passwords.canRetry) return retried
  const promised = promisify(retried)
  return (done) => {
    passwords.connect(promised).then(
      // Outside of the promise: what the caller throws is the caller's.
      (connection) => process.nextTick(done, undefined, connection),
      (error: unknown) => process.nextTick(done, error),
    )
  }
}

/** Gives up waiting for a connection: after a time, or when the invocation that waits ends. */
function boundedWait<TConnection extends Releasable>(
  { max, total, idle, timeout, loans }: PoolAccess<TConnection>,
  acquire: Acquire<TConnection>,
  borrower: Scope | undefined,
): Acquire<TConnection> {
  return (done) => {
    const milliseconds = timeout.ofCaller
    const late = (): Error => new ConnectionTimeoutError(milliseconds, max)
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const end: Done<TConnection> = (error, connection) => {
      isOver = true
      clearTimeout(timer)
      settled()
      done(error, connection)
    }
    const settled = loans.lend(() => {
      end(new StatementTimeoutError())
    }, borrower)
    // A new connection has the driver's own limit, and the driver's own error.
    if (idle() === 0 && total() >= max) timer = setTimeout(() => end(late()), milliseconds)
    acquire((error, connection) => {
      if (isOver) connection?.release()
      else end(error?.message === noneWasFree ? late() : error, connection)
    })
  }
}
