import { isIP } from 'node:net'
import { ConfigurationError } from '../../errors/index.ts'
import { regionFromFile } from '../../invocation/region.ts'
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
const variableNames = {
  endpoint: ['db_endpoint', 'db_host', 'DATABASE_ENDPOINT', 'DATABASE_HOST'],
  port: ['db_port', 'DATABASE_PORT'],
  username: ['db_username', 'DATABASE_USERNAME'],
  database: ['db_database', 'DATABASE_NAME', 'DATABASE_DATABASE'],
  password: ['db_password', 'DATABASE_PASSWORD'],
  ca: ['ssl_ca_bundle_filename', 'DATABASE_CERT_PATH'],
  // Lambda sets AWS_REGION in any case, to its own.
  region: ['db_region', 'DATABASE_REGION', 'AWS_REGION'],
  host: [],
} as const

type SettingName = keyof typeof variableNames

const defaultPorts: Readonly<Record<DatabaseEngine, number>> = { postgres: 5432, mysql: 3306 }

/** How the address of a secret begins, in quotes or not, whoever would resolve it. */
const secretAddress = /^[\s"'`]*(?:(?:secret|ssm|secretsmanager):\/\/|arn:aws[\w-]*:(?:secretsmanager|ssm):)/i

const stores = 'parameterStore() or secretsManager() in front of that'

/**
 * Refuses what reads like the address of a secret: the database would be sent it as it stands, and answer as for a wrong
 * password.
 *
 * @throws ConfigurationError
 */
export function refuseAddress(place: string, value: string, remedy: string): string {
  if (!secretAddress.test(value)) return value
  throw new ConfigurationError(`iamDbAuth(): ${place} is the address of a secret: ${remedy}`)
}

/** Reads one variable, through `environment()` where that is in the chain. */
export async function variable(
  name: string,
  environment: Environment | undefined,
): Promise<string | undefined> {
  const value =
    environment === undefined ? process.env[name] : await environment.get(name, { optional: true })
  if (value === undefined || value === '') return undefined
  const remedy =
    environment === undefined
      ? `it needs environment() in front of iamDbAuth(), and ${stores}`
      : 'what it names is an address once more, and only the first one is followed'
  return refuseAddress(name, value, remedy)
}

/** The one way of every setting: its option, else the first of its variables that is set. */
async function readSetting(
  setting: SettingName,
  options: DatabaseOverrides,
  environment: Environment | undefined,
): Promise<string | undefined> {
  const given = setting === 'password' ? undefined : options[setting]
  if (given !== undefined) {
    const [name = 'a variable'] = variableNames[setting]
    const remedy = `set ${name} to it, with environment() in front of iamDbAuth(), and ${stores}`
    return refuseAddress(`the option "${setting}"`, String(given), remedy)
  }
  for (const name of variableNames[setting]) {
    const value = await variable(name, environment)
    if (value !== undefined) return value
  }
  const region = setting === 'region' ? regionFromFile() : undefined
  return region && refuseAddress('AWS_REGION', region, `it needs environment() in front, and ${stores}`)
}

/** Which variable holds the password. @throws ConfigurationError if none does */
export async function passwordVariable(environment: Environment | undefined): Promise<string> {
  for (const name of variableNames.password) {
    if ((await variable(name, environment)) !== undefined) return name
  }
  throw new ConfigurationError(
    `iamDbAuth(): the password is not known: set ${variableNames.password.join(' or ')}`,
  )
}

/**
 * What options and environment say, checked as a whole: a token for a wrong name, port or region is made without any
 * error, and refused by the database as a wrong password.
 *
 * @throws ConfigurationError
 */
export async function readSettings(
  engine: DatabaseEngine,
  options: DatabaseOverrides,
  environment: Environment | undefined,
): Promise<DatabaseSettings> {
  const get = (setting: SettingName): Promise<string | undefined> =>
    readSetting(setting, options, environment)
  // Certificates are compared without regard to case, and signatures are not.
  const endpoint = required('endpoint', (await get('endpoint'))?.toLowerCase())
  const username = required('username', await get('username'))
  const database = await get('database')
  const port = Number((await get('port')) ?? defaultPorts[engine])
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ConfigurationError(`iamDbAuth(): ${variableNames.port[0]} is a port, 1 to 65535`)
  if (/[/:@\s]/.test(endpoint))
    throw new ConfigurationError(
      `iamDbAuth(): ${variableNames.endpoint[0]} is a host's name alone, without scheme and port`,
    )
  // The endpoint's own region is the one that the token must be signed for, whatever the function's is.
  const ownRegion = options.region === undefined ? regionOfEndpoint(endpoint) : undefined
  return {
    engine,
    endpoint,
    host: (await get('host')) ?? endpoint,
    port,
    username,
    database: isDsql(endpoint) ? (database ?? 'postgres') : required('database', database),
    region: ownRegion ?? (await get('region')),
    ca: await get('ca'),
  }
}

function required(setting: 'endpoint' | 'username' | 'database', value: string | undefined): string {
  if (value !== undefined && value !== '') return value
  throw new ConfigurationError(
    `iamDbAuth(): the ${setting} is not known: set ${variableNames[setting].join(' or ')}, or give the option "${setting}"`,
  )
}

/**
 * The region that an endpoint's name tells. In China it stands behind `rds`.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.RegionsAndAvailabilityZones.html
 */
export function regionOfEndpoint(endpoint: string): string | undefined {
  const region = '([a-z]{2,4}(?:-[a-z]+)+-\\d)'
  const forms = [
    `${region}\\.rds\\.amazonaws\\.(?:com(?:\\.cn)?|eu)`,
    `rds\\.${region}\\.amazonaws\\.com\\.cn`,
    `${dsql}\\.${region}\\.on\\.aws`,
  ]
  return new RegExp(`\\.(?:${forms.join('|')})$`).exec(endpoint)?.slice(1).find(Boolean)
}

/**
 * How a cluster's service is called in its name: by PrivateLink, its cell is named, too.
 *
 * @see https://docs.aws.amazon.com/aurora-dsql/latest/userguide/privatelink-managing-clusters.html
 */
const dsql = 'dsql(?:-[a-z\\d-]+)?'

/** Whether it is an Aurora DSQL cluster, which has tokens of its own. */
export function isDsql(endpoint: string): boolean {
  return new RegExp(`\\.${dsql}\\.[a-z\\d-]+\\.on\\.aws$`).test(endpoint)
}

/** Certificates name hosts and not addresses. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0
}
