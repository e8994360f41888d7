// The catalogue of IAM database authentication (C3): what has to be known before a token is signed.
import { ConfigurationError } from 'clearskies-middy'
import { type IamDbAuthOptions, iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeCertificate, noCertificates } from '../support/certificates.ts'
import { readIamToken } from '../support/iam-token.ts'
import { errorOf, work } from '../support/iam-databases.ts'
import { runScript } from '../support/run-script.ts'

const lambda = vi.hoisted(() => ({ bundle: undefined as string | undefined }))
vi.mock(import('node:fs'), async (original) => {
  const fs = await original()
  const place = (path: unknown) => (path === '/var/runtime/ca-cert.pem' ? lambda.bundle : undefined)
  return {
    ...fs,
    existsSync: (path) => fs.existsSync(place(path) ?? path),
    readFileSync: ((path: never, options: never) =>
      fs.readFileSync(place(path) ?? path, options)) as typeof fs.readFileSync,
  }
})

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'settings-'))
  lambda.bundle = undefined
  for (const name of ['db_endpoint', 'db_username', 'db_database', 'db_port']) vi.stubEnv(name, undefined)
  return () => {
    vi.unstubAllEnvs()
    rmSync(directory, { recursive: true })
  }
})

const rds = 'shop.c1.eu-west-1.rds.amazonaws.com'
const complete = { engine: 'postgres', endpoint: rds, username: 'app', database: 'shop' } as const

/** The details of a connection, and what its token says. */
async function details(
  options: Partial<IamDbAuthOptions<'postgres' | 'mysql', 'db'>>,
  variables: Record<string, string> = {},
) {
  const database = iamDbAuth<'postgres' | 'mysql'>({ engine: 'postgres', ...options })
  try {
    return await work(
      database,
      async ({ connectionDetails }) => ({
        ...connectionDetails,
        ca: connectionDetails.ca,
        token: readIamToken(await connectionDetails.password(), 'test'),
      }),
      variables,
    )
  } finally {
    await database.end()
  }
}

describe('database C3.6: the region', () => {
  it.each<[string, Partial<IamDbAuthOptions<'postgres' | 'mysql', 'db'>>, Record<string, string>, string]>([
    ['of the option', { endpoint: rds, region: 'us-east-2' }, {}, 'us-east-2'],
    ['of the endpoint before the function’s', { endpoint: rds }, {}, 'eu-west-1'],
    ['of a proxy', { endpoint: 'shop.proxy-c1.ap-southeast-2.rds.amazonaws.com' }, {}, 'ap-southeast-2'],
    ['of GovCloud', { endpoint: 'shop.c1.us-gov-west-1.rds.amazonaws.com' }, {}, 'us-gov-west-1'],
    ['of China', { endpoint: 'shop.c1.rds.cn-north-1.amazonaws.com.cn' }, {}, 'cn-north-1'],
    ['of China, in the old form', { endpoint: 'shop.c1.cn-north-1.rds.amazonaws.com.cn' }, {}, 'cn-north-1'],
    ['in capitals', { endpoint: 'Shop.C1.EU-WEST-1.RDS.amazonaws.com' }, {}, 'eu-west-1'],
    ['of a name that looks like one', { endpoint: `${rds}.example.com` }, {}, 'eu-central-1'],
    ['of the function for a name of your own', { endpoint: 'db.example.com' }, {}, 'eu-central-1'],
    ['of the database’s variable', { endpoint: 'db.example.com' }, { db_region: 'us-west-1' }, 'us-west-1'],
    ['of its other name', { endpoint: 'db.example.com' }, { DATABASE_REGION: 'us-west-2' }, 'us-west-2'],
  ])('%s', async (_, options, variables, region) => {
    const seen = await details({ username: 'app', database: 'shop', ...options }, variables)
    expect(seen.region).toBe(region)
    expect(seen.token).toMatchObject({ region: region.toLowerCase(), isGenuine: true })
  })

  it('that is known nowhere is an error, and not a token that will be refused', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    const error = await errorOf(details({ ...complete, endpoint: 'db.example.com' }))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(/no AWS region is set: give AWS_REGION/)
  })
})

describe('the environment', () => {
  it.each([
    {
      AWS_REGION: 'us-east-1',
      db_endpoint: 'db.example.com',
      db_port: '5433',
      db_username: 'app',
      db_database: 'shop',
    },
    {
      DATABASE_REGION: 'us-east-1',
      DATABASE_HOST: 'db.example.com',
      DATABASE_PORT: '5433',
      DATABASE_USERNAME: 'app',
      DATABASE_NAME: 'shop',
    },
  ])('says everything (%o)', async (variables) => {
    const expected = {
      endpoint: 'db.example.com',
      host: 'db.example.com',
      port: 5433,
      username: 'app',
      database: 'shop',
      region: 'us-east-1',
    }
    expect(await details({}, variables)).toMatchObject(expected)
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    expect(await details({})).toMatchObject(expected)
  })

  it('comes behind the options', async () => {
    const variables = { db_endpoint: 'other.example.com', db_port: '1', db_username: 'x', db_database: 'x' }
    expect(await details({ ...complete, port: 5555 }, variables)).toMatchObject({
      endpoint: rds,
      port: 5555,
      username: 'app',
      database: 'shop',
    })
  })
})

describe('database C3.8: what is missing or wrong is an error before anything is signed', () => {
  it.each<[string, Partial<IamDbAuthOptions<'postgres' | 'mysql', 'db'>>, Record<string, string>, RegExp]>([
    ['endpoint', { username: 'a', database: 'b' }, {}, /the endpoint is not known: set db_endpoint or/],
    ['endpoint ""', { username: 'a', database: 'b' }, { db_endpoint: '' }, /the endpoint is not known/],
    ['username', { endpoint: rds, database: 'b' }, {}, /the username is not known: set db_username or/],
    ['database', { endpoint: rds, username: 'a' }, {}, /the database is not known: set db_database or/],
    ['port abc', complete, { db_port: 'abc' }, /db_port is a port, 1 to 65535/],
    ['port 0', complete, { db_port: '0' }, /db_port is a port/],
    ['port 65536', complete, { DATABASE_PORT: '65536' }, /db_port is a port/],
    ['a URL', { ...complete, endpoint: `postgres://${rds}` }, {}, /a host's name alone/],
    ['a port in the name', { ...complete, endpoint: `${rds}:5432` }, {}, /a host's name alone/],
  ])('%s', async (_, options, variables, message) => {
    const error = await errorOf(details(options, variables))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(message)
  })

  it.each([
    ['postgres', 5432],
    ['mysql', 3306],
  ] as const)('the port of %s is %i', async (engine, port) => {
    expect(await details({ ...complete, engine })).toMatchObject({ port, token: { port, host: rds } })
  })

  it.each<[object, RegExp]>([
    [{ engine: 'oracle' }, /the option "engine" has a wrong value/],
    [{}, /needs the option "engine"/],
    [{ engine: 'mysql', max: 0 }, /"max" has a wrong value/],
    [{ engine: 'mysql', host: '' }, /"host" has a wrong value/],
    [{ engine: 'mysql', bastion: {} }, /"bastion" has a wrong value/],
    [{ engine: 'mysql', connectionString: 'x' }, /has no option "connectionString"/],
  ])('the options %o are refused when the factory is called', (options, message) => {
    expect(() => iamDbAuth(options as never)).toThrow(message)
    expect(() => iamDbAuth(options as never)).toThrow(TypeError)
  })

  it('X5: what one invocation lacks is no failure of those beside it', async () => {
    const database = iamDbAuth<'postgres' | 'mysql'>({ engine: 'postgres', endpoint: rds, database: 'shop' })
    const outcomes = await Promise.allSettled(
      [{}, { db_username: 'app' }, {}, { db_username: 'app' }].map((variables) =>
        work(database, ({ connectionDetails: { username } }) => username, variables),
      ),
    )
    expect(outcomes).toMatchObject([{ status: 'rejected' }, { value: 'app' }, {}, { value: 'app' }])
    await database.end()
  })

  it('what was missing may be there at the next invocation', async () => {
    const database = iamDbAuth({ engine: 'postgres' })
    await expect(work(database as never, () => 1)).rejects.toThrow(ConfigurationError)
    vi.stubEnv('db_endpoint', rds)
    vi.stubEnv('db_username', 'app')
    vi.stubEnv('db_database', 'shop')
    expect(await work(database as never, ({ connectionDetails: { endpoint } }) => endpoint)).toBe(rds)
    await database.end()
  })
})

describe.skipIf(noCertificates() !== undefined)('the certificates to trust', () => {
  let pem: string
  let path: string
  beforeAll(() => {
    const place = mkdtempSync(join(tmpdir(), 'certificates-'))
    path = makeCertificate(place, 'rds', 'DNS:x').certFile
    pem = readFileSync(path, 'utf8')
    return () => {
      rmSync(place, { recursive: true })
    }
  })

  it.each<[string, (() => string) | undefined, RegExp]>([
    [
      'is missing',
      undefined,
      /^The certificate bundle .*bundle\.pem cannot be read \(ssl_ca_bundle_filename\)$/,
    ],
    ['is empty', () => '', /bundle\.pem holds no certificate in PEM form/],
    ['is a web page', () => '<html></html>', /holds no certificate/],
    ['is cut off', () => pem.slice(0, -20), /holds no certificate/],
    ['has a damaged one', () => pem + pem.replace('MII', 'xxx'), /Certificate 2 of the bundle .* is damaged/],
  ])('database C3.9: a bundle that %s is an error that names it', async (_, text, message) => {
    const file = join(directory, 'bundle.pem')
    if (text !== undefined) writeFileSync(file, text())
    const error = await errorOf(details(complete, { ssl_ca_bundle_filename: file }))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(message)
  })

  it('database C3.10: are those of the bundle, and the public ones that RDS Proxy has', async () => {
    const { ca = [] } = await details({ ...complete, ca: path })
    expect(ca).toContain(pem.trim())
    expect(ca).toEqual(expect.arrayContaining([...rootCertificates]))
  })

  it('database C3.11: are those of Lambda where nothing is said', async () => {
    expect((await details(complete)).ca).not.toContain(pem.trim())
    lambda.bundle = path
    expect((await details(complete)).ca).toContain(pem.trim())
  })

  it('database C3.11: are those of NODE_EXTRA_CA_CERTS, too', () => {
    const script = `
      import { trust } from './src/middleware/database/tls.ts'
      console.log(trust(undefined).ca.some((one) => one.includes(${JSON.stringify(pem.slice(40, 90))})))`
    expect(runScript(script, { NODE_EXTRA_CA_CERTS: path }).stdout.trim()).toBe('true')
    expect(runScript(script).stdout.trim()).toBe('false')
  })
})
