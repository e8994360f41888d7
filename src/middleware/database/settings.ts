import { isIP } from 'node:net'
import { ConfigurationError } from '../../errors/index.ts'
import { regionFromFile } from '../../aws/region.ts'
import type { Environment } from '../environment.ts'

/** The kinds of databases. */
export type DatabaseEngine = 'postgres' | 'mysql'

/** What may be said in options instead of the environment. */
export interface DatabaseOverrides {
  /** The database's own name, as RDS gives it: tokens are signed for it, and its certificate is checked against it. */
  readonly endpoint?: string
  /** Where to connect to, if that is another name or address. @default the endpoint */
  readonly host?: string
  /** @default 5432 for PostgreSQL, 3306 for MySQL */
  readonly port?: number
  readonly username?: string
  readonly database?: string
  /** @default the one in the endpoint's name, else `db_region`, else `AWS_REGION` */
  readonly region?: string
  /** A file with the certificates to trust, beside those that Node knows. @default Lambda's own file of RDS, where there is one */
  readonly ca?: string
}

/** Everything that is needed to connect. */
export interface DatabaseSettings {
  readonly engine: DatabaseEngine
  readonly endpoint: string
  readonly host: string
  readonly port: number
  readonly username: string
  readonly database: string
  readonly region: string | undefined
  readonly ca: string | undefined
}

/** Where each setting stands in the environment; the first name is the one that messages use. */
const names = {
  endpoint: ['db_endpoint', 'DATABASE_ENDPOINT', 'DATABASE_HOST'],
  port: ['db_port', 'DATABASE_PORT'],
  username: ['db_username', 'DATABASE_USERNAME'],
  database: ['db_database', 'DATABASE_NAME', 'DATABASE_DATABASE'],
  password: ['db_password', 'DATABASE_PASSWORD'],
  ca: ['ssl_ca_bundle_filename', 'DATABASE_CERT_PATH'],
  // Lambda sets AWS_REGION in any case, to its own.
  region: ['db_region', 'DATABASE_REGION', 'AWS_REGION'],
} as const

const defaultPorts: Readonly<Record<DatabaseEngine, number>> = { postgres: 5432, mysql: 3306 }

/** Reads one variable by any of its names, through `environment()` where that is in the chain. */
export async function variable(
  setting: keyof typeof names,
  environment: Environment | undefined,
): Promise<string | undefined> {
  for (const name of names[setting]) {
    const value =
      environment === undefined ? process.env[name] : await environment.get(name, { optional: true })
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

/**
 * What options and environment say, checked as a whole: a token for a wrong name, port or region is made without any
 * error, and refused by the database as a wrong password.
 *
 * @throws ConfigurationError
 */
export async function readSettings(
  engine: DatabaseEngine,
  overrides: DatabaseOverrides,
  environment: Environment | undefined,
): Promise<DatabaseSettings> {
  // Certificates are compared without regard to case, and signatures are not.
  const endpoint = required(
    'endpoint',
    (overrides.endpoint ?? (await variable('endpoint', environment)))?.toLowerCase(),
  )
  const username = required('username', overrides.username ?? (await variable('username', environment)))
  const database = overrides.database ?? (await variable('database', environment))
  const port = Number(overrides.port ?? (await variable('port', environment)) ?? defaultPorts[engine])
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ConfigurationError(`iamDbAuth(): ${names.port[0]} is a port, 1 to 65535`)
  if (/[/:@\s]/.test(endpoint))
    throw new ConfigurationError(
      `iamDbAuth(): ${names.endpoint[0]} is a host's name alone, without scheme and port`,
    )
  return {
    engine,
    endpoint,
    host: overrides.host ?? endpoint,
    port,
    username,
    database: isDsql(endpoint) ? (database ?? 'postgres') : required('database', database),
    // The endpoint's own region is the one that the token must be signed for, whatever the function's is.
    region:
      overrides.region ?? regionOf(endpoint) ?? (await variable('region', environment)) ?? regionFromFile(),
    ca: overrides.ca ?? (await variable('ca', environment)),
  }
}

function required(setting: 'endpoint' | 'username' | 'database', value: string | undefined): string {
  if (value !== undefined && value !== '') return value
  throw new ConfigurationError(
    `iamDbAuth(): the ${setting} is not known: set ${names[setting].join(' or ')}, or give the option "${setting}"`,
  )
}

/**
 * The region that an endpoint's name tells. In China it stands behind `rds`.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.RegionsAndAvailabilityZones.html
 */
export function regionOf(endpoint: string): string | undefined {
  const region = '([a-z]{2}(?:-[a-z]+)+-\\d)'
  const forms = [
    `${region}\\.rds\\.amazonaws\\.com(?:\\.cn)?`,
    `rds\\.${region}\\.amazonaws\\.com\\.cn`,
    `dsql\\.${region}\\.on\\.aws`,
  ]
  return new RegExp(`\\.(?:${forms.join('|')})$`).exec(endpoint)?.slice(1).find(Boolean)
}

/** Whether it is an Aurora DSQL cluster, which has tokens of its own. */
export function isDsql(endpoint: string): boolean {
  return /\.dsql\.[a-z\d-]+\.on\.aws$/.test(endpoint)
}

/** Certificates name hosts and not addresses. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0
}
