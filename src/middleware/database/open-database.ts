import { ConfigurationError } from '../../errors/index.ts'
import { defaultLogger, logSafely } from '../../core/logger.ts'
import type { Environment } from '../environment.ts'
import type { ConnectionDetails, DatabaseContext, DatabasePool, IamDbAuthOptions } from './options.ts'
import type { Entry } from './entry-socket.ts'
import { mysqlPool, pgPool } from './pools.ts'
import { type DatabaseEngine, type DatabaseSettings, isAddress, readSettings, variable } from './settings.ts'
import { closeOnShutdown } from './shutdown.ts'
import { trust } from './tls.ts'
import { tokenSource } from './token.ts'

/** What is put into the context, and how to close it. */
export interface OpenDatabase<TEngine extends DatabaseEngine> extends DatabaseContext<TEngine> {
  readonly close: () => Promise<void>
}

/** Makes the pool, and opens the tunnel if there is one. @throws ConfigurationError, BastionError */
export async function openDatabase<TEngine extends DatabaseEngine>(
  options: IamDbAuthOptions<TEngine>,
  environment: Environment | undefined,
): Promise<OpenDatabase<TEngine>> {
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
  const { endpoint, host, port } = settings
  refuseUnsafe(settings, { tls, insecure })
  const trusted = tls ? trust(settings.ca) : undefined
  const password = auth === 'iam' ? await tokenSource(settings) : () => passwordFrom(environment)
  const direct = { host, port }
  const enter = bastion ? () => bastion.open(host, port) : host === endpoint ? undefined : async () => direct
  const at = (await enter?.()) ?? direct
  const parts = {
    settings,
    trust: trusted,
    insecure,
    password,
    isToken: auth === 'iam',
    max,
    enter,
    onIdleError: (error: unknown) => {
      logSafely(logger, 'warn', 'A connection to the database ended; the next query makes a new one', error)
    },
  }
  const db = (engine === 'postgres' ? await pgPool(parts) : await mysqlPool(parts)) as DatabasePool<TEngine>
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= closeAll())
  const forget = closeOnShutdown(close)
  async function closeAll(): Promise<void> {
    forget()
    try {
      await db.end()
    } finally {
      await bastion?.close(host, port)
    }
  }
  return { db, connectionDetails: detailsOf(settings, at, trusted?.ca, password), close }
}

function refuseUnsafe(
  { endpoint, host }: DatabaseSettings,
  { tls, insecure }: { tls: boolean; insecure: boolean },
): void {
  if (!tls && !['localhost', '127.0.0.1', '::1'].includes(host))
    throw new ConfigurationError('iamDbAuth(): without TLS a password is sent to this very machine only')
  if (tls && isAddress(endpoint) && !insecure)
    throw new ConfigurationError(
      'iamDbAuth(): db_endpoint is an address, and the database\'s certificate has a name: give the name, and the address as the option "host"',
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
  { host, port }: Entry,
  ca: string[] | undefined,
  password: () => Promise<string>,
): ConnectionDetails {
  return Object.freeze({ engine, host, port, endpoint, username, database, region, ca, password })
}
