import middy from '@middy/core'
import { environment } from 'clearskies-middy/middleware/environment'
import {
  type ConnectionDetails,
  type IamDbAuth,
  type IamDbAuthOptions,
  iamDbAuth,
} from 'clearskies-middy/middleware/iam-db-auth'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, vi } from 'vitest'
import { type Certificate, makeCertificate } from './certificates.ts'
import type { FakeDatabase } from './fake-database.ts'
import { fakeMysql } from './fake-mysql.ts'
import { fakePostgres } from './fake-postgres.ts'
import { type IamToken, readIamToken } from './iam-token.ts'
import { RecordingLogger } from './recording-logger.ts'

/** The name that RDS would give the database of these tests. */
export const endpoint = 'shop.c1.eu-central-1.rds.amazonaws.com'

/** The name that a cluster of Aurora DSQL would have. */
export const dsqlEndpoint = 'abc4567.dsql.eu-central-1.on.aws'

/** The part of both pools that is the same. */
export interface AnyPool {
  query(sql: string): Promise<unknown>
}

export interface AnyContext {
  readonly db: AnyPool
  readonly connectionDetails: ConnectionDetails
}

type Options = Partial<IamDbAuthOptions<'postgres' | 'mysql', 'db'>>

/** One of the two kinds of databases, for tests that run over both. */
export interface TestedDatabase {
  readonly engine: 'postgres' | 'mysql'
  readonly server: FakeDatabase
  /** A connection of a pool for oneself. */
  readonly connection: (pool: AnyPool) => Promise<AnyPool & { release(): void }>
  /** What RDS says while it is busy. */
  readonly busy: { readonly code: string; readonly message: string }
  /** How the driver tells that a login was refused. */
  readonly denied: RegExp
}

const tooMany = 'The IAM authentication failed because of too many competing requests.'

/** Both kinds of databases on this machine, with one certificate. */
export function useIamDatabases() {
  const directory = mkdtempSync(join(tmpdir(), 'databases-'))
  const certificate = {} as Certificate
  const logger = new RecordingLogger()
  const made: IamDbAuth<'postgres' | 'mysql'>[] = []
  const databases: TestedDatabase[] = [
    {
      engine: 'postgres',
      server: fakePostgres(certificate),
      connection: (pool) => (pool as unknown as { connect(): never }).connect(),
      busy: { code: '28000', message: tooMany },
      denied: /PAM authentication failed/,
    },
    {
      engine: 'mysql',
      server: fakeMysql(certificate),
      connection: (pool) => (pool as unknown as { getConnection(): never }).getConnection(),
      busy: { code: '1045', message: tooMany },
      denied: /Access denied/,
    },
  ]
  beforeAll(async () => {
    Object.assign(certificate, makeCertificate(directory, 'rds', `DNS:${endpoint}`, `DNS:${dsqlEndpoint}`))
    await Promise.all(databases.map(({ server }) => server.start()))
  })
  afterAll(async () => {
    await Promise.all(databases.map(({ server }) => server.stop()))
    rmSync(directory, { recursive: true })
  })
  beforeEach(() => {
    for (const { server } of databases) {
      server.logins.length = server.queries.length = server.connections = server.goodbyes = 0
      server.cancellations = 0
      server.onQuery = () => undefined
      server.onLogin = () => undefined
      server.hasTls = server.asksForToken = true
    }
    logger.warnings.length = 0
    return async () => {
      vi.useRealTimers()
      await Promise.all(made.splice(0).map((database) => database.end()))
      await Promise.all(databases.map(({ server }) => server.deserted()))
      vi.unstubAllEnvs()
    }
  })

  function make({ engine, server }: TestedDatabase, options: Options = {}): IamDbAuth<'postgres' | 'mysql'> {
    const database = iamDbAuth<'postgres' | 'mysql'>({
      engine,
      endpoint,
      host: '127.0.0.1',
      port: server.port,
      username: 'app',
      database: 'shop',
      ca: certificate.certFile,
      logger,
      ...options,
    })
    made.push(database)
    return database
  }

  return { databases, certificate, directory, logger, make }
}

/** Runs a handler behind the middleware, and gives what it returns, as it is. */
export async function work<T>(
  database: IamDbAuth<'postgres' | 'mysql'>,
  run: (context: AnyContext) => T | Promise<T>,
  variables?: Readonly<Record<string, string>>,
): Promise<T> {
  let result: T | undefined
  const chain = middy().use(invocation())
  if (variables !== undefined) chain.use(environment({ file: false, overrides: variables }))
  const handler = chain.use(database).handler(async (_, context) => {
    result = await run(context)
  })
  await invoke(handler, {})
  return result as T
}

/** The error that something ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  const error: unknown = await promise.then(
    (value) => new Error(`There was no error, but ${String(value)}`),
    (caught: unknown) => caught,
  )
  return error as Error
}

/** What the tokens of all logins say. */
export function tokensOf({ logins }: FakeDatabase): IamToken[] {
  return logins.map(({ token }) => readIamToken(token, 'test'))
}

/** The socket of a connection that was taken from either pool. */
export function socketOf(client: object): Socket {
  return (client as { connection: { stream: Socket } }).connection.stream
}

/** Cuts off every client, and waits until one has noticed. */
export async function cutOff({ server }: TestedDatabase, socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  socket.once('close', () => resolve(undefined))
  server.killConnections()
  await promise
}
