import { ConfigurationError } from '../../errors/index.ts'
import { defaultLogger, logSafely } from '../../core/logger.ts'
import { asRecord } from '../../core/record.ts'
import { Environment } from '../environment.ts'
import type { Bastion, ConnectionDetails, DatabasePool, IamDbAuthOptions } from './options.ts'
import { refuseAddresses } from './driver-options.ts'
import type { Entry } from './entry-socket.ts'
import { Loans } from './loans.ts'
import { mysqlPool } from './mysql-pool.ts'
import { PasswordSource } from './password-source.ts'
import { pgPool } from './pg-pool.ts'
import type { PoolParts } from './pool-parts.ts'
import { defaultPoolSize } from './pool-size.ts'
import {
  type DatabaseEngine,
  type DatabaseSettings,
  isAddress,
  passwordVariable,
  readSettings,
  variable,
} from './settings.ts'
import { closeOnShutdown } from './shutdown.ts'
import { trust } from './tls.ts'
import { tokenSource } from './token.ts'

/** What is put into the context, what of it is lent, and how to close it. */
export interface OpenDatabase<TEngine extends DatabaseEngine> {
  readonly db: DatabasePool<TEngine>
  readonly connectionDetails: ConnectionDetails
  readonly loans: Loans
  readonly close: () => Promise<void>
}

/** Makes the pool, and opens the tunnel if there is one. @throws ConfigurationError, BastionError */
export async function openDatabase<TEngine extends DatabaseEngine>(
  options: IamDbAuthOptions<TEngine>,
  environment: Environment | undefined,
): Promise<OpenDatabase<TEngine>> {
  const { engine, auth = 'iam', tls = true, insecure = false, bastion, logger = defaultLogger } = options
  refuseAddresses(options.pool)
  const settings = await readSettings(engine, options, environment)
  refuseUnsafe(settings, { tls, insecure })
  const trusted = tls ? trust(settings.ca) : undefined
  const passwords =
    auth === 'iam'
      ? new PasswordSource(await tokenSource(settings, options.signer))
      : fromEnvironment(environment)
  const way = wayTo(settings, bastion)
  const at = (await way.enter?.()) ?? { host: settings.host, port: settings.port }
  const loans = new Loans()
  const parts: PoolParts = {
    settings,
    trust: trusted,
    insecure,
    passwords,
    isToken: auth === 'iam',
    max: poolSize(options),
    driver: { ...options.pool },
    statementTimeout: options.statementTimeout,
    enter: way.enter,
    loans,
    onIdleError: (error: unknown) => {
      logSafely(logger, 'warn', 'A connection to the database ended; the next query makes a new one', error)
    },
    onTimeout: way.giveUp,
  }
  const db = (engine === 'postgres' ? await pgPool(parts) : await mysqlPool(parts)) as DatabasePool<TEngine>
  const connectionDetails = detailsOf(settings, at, { ca: trusted?.ca, password: passwords.read })
  return { db, connectionDetails, loans, close: closing(db, way.close) }
}

/** Closes the pool and the tunnel, once: when asked to, or when Lambda ends the process. */
function closing(db: { end(): Promise<void> }, closeWay: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= closeAll())
  const forget = closeOnShutdown(close)
  async function closeAll(): Promise<void> {
    forget()
    try {
      await db.end()
    } finally {
      await closeWay()
    }
  }
  return close
}

function poolSize({ max, pool }: IamDbAuthOptions): number {
  const { max: ofPg, connectionLimit: ofMysql } = asRecord(pool) ?? {}
  const given = [max, ofPg, ofMysql].find((value) => typeof value === 'number')
  return given ?? defaultPoolSize()
}

/** Where connections go, if not to the endpoint itself. */
interface DatabaseRoute {
  readonly enter: (() => Promise<Entry>) | undefined
  /** Goes another way the next time: this one leads nowhere. */
  readonly giveUp: () => void
  readonly close: () => Promise<void>
}

function wayTo({ endpoint, host, port }: DatabaseSettings, bastion: Bastion | undefined): DatabaseRoute {
  const nothing = async (): Promise<void> => undefined
  if (bastion === undefined) {
    const enter = host === endpoint ? undefined : () => Promise.resolve({ host, port })
    return { enter, giveUp: () => undefined, close: nothing }
  }
  let closed = nothing()
  return {
    // Its port is free again when the tunnel before is closed.
    enter: () => closed.then(() => bastion.open(host, port)),
    giveUp: () => {
      closed = bastion.close(host, port).catch(() => undefined)
    },
    close: () => bastion.close(host, port),
  }
}

function refuseUnsafe(
  { endpoint, host }: DatabaseSettings,
  { tls, insecure }: { tls: boolean; insecure: boolean },
): void {
  if (!tls && !insecure && !['localhost', '127.0.0.1', '::1'].includes(host))
    throw new ConfigurationError(
      'iamDbAuth(): without TLS a password is sent to this very machine only; "insecure: true" beside "tls: false" sends it to any host, for containers',
    )
  if (tls && isAddress(endpoint) && !insecure)
    throw new ConfigurationError(
      'iamDbAuth(): db_endpoint is an address, and the database\'s certificate has a name: give the name, and the address as the option "host"',
    )
}

/** The password as the environment names it: what is set there may change from connection to connection. */
function fromEnvironment(environment: Environment | undefined): PasswordSource {
  const read = async (): Promise<string> =>
    String(await variable(await passwordVariable(environment), environment))
  if (environment === undefined) return new PasswordSource(read)
  return new PasswordSource(read, async (use) =>
    Environment.withFresh(environment, await passwordVariable(environment), use),
  )
}

function detailsOf(
  { engine, endpoint, username, database, region }: DatabaseSettings,
  { host, port }: Entry,
  secret: Pick<ConnectionDetails, 'ca' | 'password'>,
): ConnectionDetails {
  const details = { engine, host, port, endpoint, username, database, region, ...secret }
  return Object.freeze(Object.defineProperty(details, 'ca', { enumerable: false }))
}
