// What iamDbAuth() leaves in the context, and what it takes from the environment: X2, X3, X16, X18, X20.
import middy from '@middy/core'
import { ConfigurationError } from 'clearskies-middy'
import { environment } from 'clearskies-middy/middleware/environment'
import { type IamDbAuthOptions, iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { invoke } from 'clearskies-middy/testing'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noCertificates } from '../support/certificates.ts'
import { errorOf, tokensOf, useIamDatabases, work } from '../support/iam-databases.ts'
import { readIamToken } from '../support/iam-token.ts'
import { useSecretStores } from '../support/secret-stores.ts'

const rds = 'shop.c1.eu-west-1.rds.amazonaws.com'
const complete = { engine: 'postgres', endpoint: rds, username: 'app', database: 'shop' } as const
const ends: (() => Promise<void>)[] = []

beforeEach(() => {
  for (const name of ['db_endpoint', 'db_host', 'db_username', 'db_database', 'db_port', 'db_password'])
    vi.stubEnv(name, undefined)
})
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()))
  vi.unstubAllEnvs()
})

interface Seen {
  readonly connectionDetails: { readonly username: string; readonly password: () => Promise<string> }
}

/** Runs a chain of these middlewares, and gives what `see` makes of its context. */
async function run<T>(middlewares: readonly object[], see: (context: Seen) => T | Promise<T>): Promise<T> {
  let result: T | undefined
  const chain = middy()
  for (const middleware of middlewares) chain.use(middleware)
  await invoke(
    chain.handler(async (_: unknown, context: unknown) => {
      result = await see(context as Seen)
    }) as never,
    {},
  )
  return result as T
}

function make<const TAs extends string = 'db'>(
  options: Partial<IamDbAuthOptions<'postgres' | 'mysql', TAs>> = {},
) {
  const database = iamDbAuth<'postgres' | 'mysql', TAs>({ ...complete, ...options })
  ends.push(database.end)
  return database
}

/** All orders of a list. */
function orders<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]]
  return list.flatMap((first, index) => orders(list.toSpliced(index, 1)).map((rest) => [first, ...rest]))
}

describe('X2: the address of a secret', () => {
  const { aws, stores } = useSecretStores()
  const [ssm, secretsStore] = stores

  it('is resolved, or an error names the middleware that is needed, in every order of the middlewares', async () => {
    ssm?.put('/db/user', 'shop-user')
    ssm?.put('/db/pw', 'shop-password')
    for (const [name, value] of [
      ['db_username', 'secret://db/user'],
      ['db_password', 'ssm://db/pw'],
    ] as const)
      vi.stubEnv(name, value)
    let resolved = 0
    for (const order of orders(['store', 'database', 'environment', 'other', 'vault'])) {
      const { username: _, ...options } = complete
      const database = iamDbAuth({ ...options, engine: 'mysql', auth: 'password' })
      ends.push(database.end)
      const middlewares = {
        store: parameterStore({ client: ssm!.client() }),
        vault: secretsManager({ as: 'vault', client: secretsStore!.client() }),
        environment: environment({ file: false }),
        other: { before: () => undefined },
        database,
      }
      const seen = run(
        order.map((name) => middlewares[name as keyof typeof middlewares]),
        async ({ connectionDetails: { username, password } }) => [username, await password()],
      )
      const outcome = await seen.catch((error: unknown) => error)
      if (Array.isArray(outcome)) resolved++
      if (Array.isArray(outcome)) expect(outcome).toEqual(['shop-user', 'shop-password'])
      else
        expect(String(outcome)).toMatch(
          /^(ConfigurationError|Secret\w*Error): .*(environment|parameterStore|secret)/,
        )
    }
    expect(resolved).toBeGreaterThan(0)
    expect(aws.server.calls.length).toBeGreaterThan(0)
  })

  it.each([
    'secret://db/x',
    'ssm://db/x',
    'secretsmanager://db/x',
    ' secret://db/x',
    '"secret://db/x"',
    'SECRET://db/x',
    'arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbCdEf',
    'arn:aws-cn:ssm:cn-north-1:1:parameter/x',
  ])('%s: no variable and no option takes it to the database', async (address) => {
    const variables = {
      endpoint: ['db_endpoint', 'db_host', 'DATABASE_HOST', 'DATABASE_ENDPOINT'],
      port: ['db_port', 'DATABASE_PORT'],
      username: ['db_username', 'DATABASE_USERNAME'],
      database: ['db_database', 'DATABASE_NAME', 'DATABASE_DATABASE'],
      ca: ['ssl_ca_bundle_filename', 'DATABASE_CERT_PATH'],
      region: ['db_region', 'DATABASE_REGION', 'AWS_REGION'],
    }
    for (const [setting, names] of Object.entries(variables)) {
      const base = { ...complete, ...(setting === 'region' && { endpoint: 'db.example.com' }) }
      const { [setting as 'endpoint']: _, ...options } = base
      for (const name of names) {
        vi.stubEnv(name, address)
        const error = await errorOf(run([iamDbAuth(options as never)], () => 'reached'))
        expect([name, error.message]).toEqual([
          name,
          expect.stringMatching(/address of a secret: it needs environment\(\)/),
        ])
        expect(error).toBeInstanceOf(ConfigurationError)
        vi.stubEnv(name, name === 'AWS_REGION' ? 'eu-central-1' : undefined)
      }
      if (setting === 'port') continue
      const error = await errorOf(run([make({ [setting]: address })], () => 'reached'))
      expect(error.message).toMatch(new RegExp(`the option "${setting}" is the address of a secret`))
    }
    const hosts = await errorOf(run([make({ host: address })], () => 'reached'))
    expect(hosts.message).toMatch(/the option "host" is the address of a secret/)
    const driver = await errorOf(run([make({ pool: { application_name: address } })], () => 'reached'))
    expect(driver.message).toMatch(/the option "pool.application_name" is the address of a secret/)
  })

  it.each(['db_password', 'DATABASE_PASSWORD'])('%s: is not sent as a password', async (name) => {
    vi.stubEnv(name, 'secret://db/pw')
    const database = make({ auth: 'password' })
    const error = await errorOf(run([database], ({ connectionDetails }) => connectionDetails.password()))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(
      new RegExp(`${name} is the address of a secret: it needs environment\\(\\)`),
    )
  })

  it('what a secret holds is not followed once more, and not sent either', async () => {
    ssm?.put('/db/user', 'secret://db/other')
    vi.stubEnv('db_username', 'secret://db/user')
    const { username: _, ...options } = complete
    const middlewares = [
      parameterStore({ client: ssm!.client() }),
      environment({ file: false }),
      iamDbAuth(options),
    ]
    const error = await errorOf(run(middlewares, () => 'reached'))
    expect(error.message).toMatch(
      /db_username is the address of a secret: what it names is an address once more/,
    )
  })
})

describe('X3: two databases in one chain', () => {
  it('stand beside each other under keys of their own, in both orders', async () => {
    for (const isReversed of [false, true]) {
      const writer = make()
      const reader = make({
        as: 'reader',
        engine: 'mysql',
        endpoint: 'reader.c1.eu-west-1.rds.amazonaws.com',
      })
      const chain = isReversed ? [reader, writer] : [writer, reader]
      await run(chain, (context) => {
        const { db, reader: second, connectionDetails } = context as unknown as Record<string, object>
        expect(db).toHaveProperty('totalCount')
        expect(second).toHaveProperty('pool')
        expect(connectionDetails).toMatchObject({ engine: 'postgres', endpoint: rds })
      })
    }
  })

  it('one with "as" alone tells how to connect to it', async () => {
    const endpoint = await run([make({ as: 'reader' })], (context) => context.connectionDetails)
    expect(endpoint).toMatchObject({ endpoint: rds })
  })

  it.each([
    ['without "as"', {}, {}],
    ['with the same', { as: 'reader' }, { as: 'reader' }],
  ] as const)('on one key, %s, are refused', async (_, first, second) => {
    const error = await errorOf(run([make<string>(first), make<string>(second)], () => 'reached'))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(/the context has "(db|reader)" already; .* the option "as"/)
  })

  it('one object twice, and the context of a record, are one database', async () => {
    const database = make()
    await run([database, database], async (context) => {
      const inner = middy()
        .use(database)
        .handler(async (__: unknown, { db }) => db)
      expect(await inner({}, { ...context } as never)).toBe((context as unknown as { db: object }).db)
    })
  })

  it.each([
    'functionName',
    'environment',
    'backends',
    'getRemainingTimeInMillis',
    'connectionDetails',
    'toString',
    '',
  ])('the key "%s" is somebody else’s', (as) => {
    expect(() => iamDbAuth({ ...complete, as })).toThrow(/the option "as" has a wrong value/)
  })
})

describe('X16: Aurora DSQL by PrivateLink', () => {
  it.each([
    ['abc123.dsql-fnh4.us-east-1.on.aws', 'admin', 'DbConnectAdmin', 'us-east-1'],
    ['abc123.dsql-fnh4.us-east-1.on.aws', 'app', 'DbConnect', 'us-east-1'],
    ['abc123.dsql-x9-2.eu-west-2.on.aws', 'app', 'DbConnect', 'eu-west-2'],
    ['abc123.dsql.us-east-1.on.aws', 'admin', 'DbConnectAdmin', 'us-east-1'],
  ])('%s for %s is known as the cluster that it is', async (endpoint, username, action, region) => {
    const database = iamDbAuth({ engine: 'postgres', endpoint, username })
    ends.push(database.end)
    const seen = await run([database], async ({ connectionDetails }) => ({
      ...connectionDetails,
      token: readIamToken(await connectionDetails.password(), 'test'),
    }))
    expect(seen).toMatchObject({
      database: 'postgres',
      region,
      token: { action, host: endpoint, region, service: 'dsql' },
    })
  })

  it.each([
    'abc.dsqlx.us-east-1.on.aws',
    'dsql-fnh4.us-east-1.on.aws.example.com',
    'xdsql-a.us-east-1.on.aws',
  ])('%s is none', async (endpoint) => {
    const database = iamDbAuth({ engine: 'postgres', endpoint, username: 'admin' })
    await expect(run([database], () => 1)).rejects.toThrow(/the database is not known/)
  })
})

describe('X18: db_host', () => {
  it.each([
    [{ db_host: 'db.example.com' }, 'db.example.com'],
    [{ db_host: 'other.example.com', db_endpoint: 'db.example.com' }, 'db.example.com'],
  ])('names the endpoint, behind db_endpoint (%o)', async (variables, endpoint) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    const { endpoint: _, ...options } = complete
    const database = iamDbAuth(options)
    ends.push(database.end)
    expect(await run([database], ({ connectionDetails }) => connectionDetails)).toMatchObject({ endpoint })
  })

  it('a container without TLS is reached where both options say so, and no other way', async () => {
    vi.stubEnv('db_host', 'mysql')
    const options = {
      engine: 'mysql',
      username: 'app',
      database: 'shop',
      auth: 'password',
      tls: false,
    } as const
    const error = await errorOf(run([iamDbAuth(options)], () => 'reached'))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(/without TLS .* "insecure: true" beside "tls: false"/)
    const database = iamDbAuth({ ...options, insecure: true })
    ends.push(database.end)
    expect(await run([database], ({ connectionDetails }) => connectionDetails)).toMatchObject({
      host: 'mysql',
    })
    expect(() => iamDbAuth({ ...complete, tls: false, insecure: true })).toThrow(
      /a token is never sent without TLS/,
    )
  })
})

describe.skipIf(noCertificates() !== undefined)('X20: a context that is logged', () => {
  const { databases, make: makeDatabase } = useIamDatabases()

  describe.each(databases)('$engine', (tested) => {
    it('is short, and has no credentials', async () => {
      tested.server.asksForToken = tested.engine === 'postgres'
      vi.stubEnv('db_password', 'hunter2-MARKER')
      await work(makeDatabase(tested, { auth: 'password' }), async (context) => {
        await context.db.query('select 1')
        const client = await tested.connection(context.db)
        const text = JSON.stringify(context)
        expect(text.length).toBeLessThan(2000)
        expect(JSON.parse(text)).toMatchObject({
          db: { engine: tested.engine, username: 'app', max: 2 },
          connectionDetails: { engine: tested.engine, username: 'app' },
        })
        expect(Object.keys(context)).toContain('db')
        expect({ ...context }.db).toBe(context.db)
        expect(context.connectionDetails.ca?.length).toBeGreaterThan(0)
        for (const shown of [text, inspect([context, client], { showHidden: true, depth: 12 })])
          expect(shown).not.toContain('MARKER')
        client.release()
      })
    })

    it('has no token either, after one was sent', async () => {
      await work(makeDatabase(tested), async (context) => {
        await context.db.query('select 1')
        expect(inspect(context, { showHidden: true, depth: 12 })).not.toContain('X-Amz-Signature')
      })
      expect(tokensOf(tested.server)).toHaveLength(1)
    })
  })
})
