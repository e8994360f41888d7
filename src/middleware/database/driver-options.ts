import type { PoolOptions as MysqlOptions } from 'mysql2/promise'
import type { PoolConfig as PgOptions } from 'pg'
import { asRecord, asString } from '../../core/record.ts'
import { type DatabaseEngine, refuseAddress } from './settings.ts'

/** What decides who logs in where, and how it is encrypted: `iamDbAuth()` says it, and nobody else. */
const fixed = {
  postgres: [
    'Client',
    'connection',
    'connectionString',
    'database',
    'host',
    'password',
    'port',
    'ssl',
    'sslnegotiation',
    'stream',
    'user',
  ],
  mysql: [
    'authPlugins',
    'authSwitchHandler',
    'database',
    'enableCleartextPlugin',
    'host',
    'insecureAuth',
    'password',
    'password1',
    'password2',
    'password3',
    'passwordSha1',
    'port',
    'socketPath',
    'ssl',
    'stream',
    'uri',
    'user',
  ],
} as const

/** The options of an engine's driver that are the user's. */
export type DriverOptions<TEngine extends DatabaseEngine> = TEngine extends 'postgres'
  ? Omit<PgOptions, (typeof fixed)['postgres'][number]>
  : Omit<MysqlOptions, (typeof fixed)['mysql'][number]>

/** Refuses options of a driver that are not the user's, at cold start. @throws TypeError */
export function checkDriverOptions(engine: DatabaseEngine, options: object = {}): void {
  const names: readonly string[] = fixed[engine]
  const name = Object.keys(options).find((key) => names.includes(key))
  if (name !== undefined)
    throw new TypeError(
      `iamDbAuth(): the option "pool" cannot have "${name}", which iamDbAuth() itself decides`,
    )
}

/** A driver sends some of its options to the database. @throws ConfigurationError */
export function refuseAddresses(options: object = {}): void {
  for (const [name, value] of Object.entries(asRecord(options))) {
    const text = asString(value)
    if (text !== undefined)
      refuseAddress(`the option "pool.${name}"`, text, 'options of the driver are sent as they stand')
  }
}
