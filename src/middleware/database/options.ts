import type { Pool as MysqlPool } from 'mysql2/promise'
import type { Pool as PgPool } from 'pg'
import type { Logger } from '../../core/logger.ts'
import type { Entry } from './entry-socket.ts'
import type { DriverOptions } from './driver-options.ts'
import type { DatabaseEngine, DatabaseOverrides } from './settings.ts'

/** A way to a database in a private subnet; `ssmBastion()` makes one. */
export interface Bastion {
  /** Opens a tunnel to an endpoint, or gives the one that is open. */
  open(endpoint: string, port: number): Promise<Entry>
  /** Closes the tunnel to an endpoint, or all. */
  close(endpoint?: string, port?: number): Promise<void>
}

/** Options of `iamDbAuth()`. */
export interface IamDbAuthOptions<
  TEngine extends DatabaseEngine = DatabaseEngine,
  TAs extends string = string,
> extends DatabaseOverrides {
  readonly engine: TEngine
  /** The pool's key in the context, for a second database in one chain. @default 'db' */
  readonly as?: TAs
  /** `password` takes `db_password` from the environment, where it may be a `secret://`, instead of a token. @default 'iam' */
  readonly auth?: 'iam' | 'password'
  /** What makes tokens: the SDK's package of the service, or the light client, which loads none. @default 'sdk' */
  readonly signer?: 'sdk' | 'light'
  /**
   * Connections at most, of this thread. @default 2, or where invocations run beside each other in a thread (Lambda Managed
   * Instances), as many as those
   */
  readonly max?: number
  /**
   * The driver's own options, for instance `application_name` of `pg` or `dateStrings` of `mysql2`. What decides who logs in
   * where, and how it is encrypted, is not among them.
   */
  readonly pool?: DriverOptions<TEngine>
  /**
   * Milliseconds that a statement may take, from being sent to its end; then it is cancelled, and its connection is closed.
   * @default the time that the invocation has left, less a tenth of it (50 to 1,000 milliseconds) for the answer
   */
  readonly statementTimeout?: number
  /** `false` connects without TLS: with a password, and to this very machine only, unless `insecure` is set. @default true */
  readonly tls?: boolean
  /**
   * Accepts any certificate, so that whoever is on the way can read the token; with `tls: false`, sends the password in
   * clear text to any host. For tests and containers. @default false
   */
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
  /** The certificates to trust; `undefined` without TLS. Not listed, because they are some 400,000 characters. */
  readonly ca: string[] | undefined
  /** A token, made anew, or the password. */
  readonly password: () => Promise<string>
}

/** The pool of an engine. */
export type DatabasePool<TEngine extends DatabaseEngine> = TEngine extends 'postgres' ? PgPool : MysqlPool

/**
 * What the middleware leaves in the context: its pool, and as `connectionDetails` how to connect without it. With several
 * databases these are of the one without `as`, else of the first in the chain.
 */
export type DatabaseContext<TEngine extends DatabaseEngine, TAs extends string = 'db'> = {
  readonly [K in TAs | 'connectionDetails']: K extends 'connectionDetails'
    ? ConnectionDetails
    : DatabasePool<TEngine>
}
