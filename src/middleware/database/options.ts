import type { Pool as MysqlPool } from 'mysql2/promise'
import type { Pool as PgPool } from 'pg'
import type { Logger } from '../../core/logger.ts'
import type { Entry } from './entry-socket.ts'
import type { DatabaseEngine, DatabaseOverrides } from './settings.ts'

/** A way to a database in a private subnet; `ssmBastion()` makes one. */
export interface Bastion {
  /** Opens a tunnel to an endpoint, or gives the one that is open. */
  open(endpoint: string, port: number): Promise<Entry>
  /** Closes the tunnel to an endpoint, or all. */
  close(endpoint?: string, port?: number): Promise<void>
}

/** Options of `iamDbAuth()`. */
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
  /** A token, made anew, or the password. */
  readonly password: () => Promise<string>
}

/** The pool of an engine. */
export type DatabasePool<TEngine extends DatabaseEngine> = TEngine extends 'postgres' ? PgPool : MysqlPool

/** What the middleware leaves in the context. */
export interface DatabaseContext<TEngine extends DatabaseEngine> {
  readonly db: DatabasePool<TEngine>
  readonly connectionDetails: ConnectionDetails
}
