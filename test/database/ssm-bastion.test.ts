// The catalogue of the bastion's tunnel (C4), in the order of its numbers.
import { BastionError, ConfigurationError } from 'clearskies-middy'
import { ssmBastion } from 'clearskies-middy/middleware/ssm-bastion'
import { once } from 'node:events'
import { type AddressInfo, type Server, connect, createServer } from 'node:net'
import timers from 'node:timers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noCertificates } from '../support/certificates.ts'
import { token, useBastion } from '../support/fake-bastion.ts'
import { endpoint, errorOf, socketOf, tokensOf, useIamDatabases, work } from '../support/iam-databases.ts'
import { startScript } from '../support/run-script.ts'

describe.skipIf(noCertificates() !== undefined)('ssmBastion()', () => {
  const { databases, certificate, make: makeDatabase } = useIamDatabases()
  const { aws, command, reports, setMode, variable, make, count, reported, crash } = useBastion()
  const open: { close(): Promise<void> }[] = []
  let other: Server
  beforeEach(async () => {
    other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
  })
  afterEach(async () => {
    vi.useRealTimers()
    await Promise.all(open.splice(0).map((bastion) => bastion.close()))
    other.close()
  })
  const bastion: typeof make = (options) => {
    const made = make(options)
    open.push(made)
    return made
  }
  const portOf = (server: Server) => (server.address() as AddressInfo).port

  it('database C4.1: listens on a free port, which the plugin chooses', async () => {
    const made = bastion()
    const [one, two] = await Promise.all([made.open(endpoint, 5432), made.open('db.example.com', 5432)])
    expect([one.host, two.host]).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(one.port).not.toBe(two.port)
    await reported(2)
    expect(reports.map(({ argv }) => JSON.parse(argv[4] ?? '') as unknown)).toEqual(
      expect.arrayContaining(
        [endpoint, 'db.example.com'].map((host) => ({
          Target: 'i-0123abcd',
          DocumentName: 'AWS-StartPortForwardingSessionToRemoteHost',
          Parameters: { host: [host], portNumber: ['5432'], localPortNumber: ['0'] },
        })),
      ),
    )
  })

  it('database C4.1: never connects to whoever listens on the wanted port already', async () => {
    let visitors = 0
    other.on('connection', () => visitors++)
    const localPort = portOf(other)
    const error = await errorOf(bastion({ localPort }).open(endpoint, 5432))
    expect(error).toBeInstanceOf(BastionError)
    expect(error.message).toMatch(new RegExp(`^Port ${localPort} of this machine is taken: choose another`))
    expect([visitors, reports.length]).toEqual([0, 0])
    expect(count('TerminateSession')).toBe(count('StartSession'))
  })

  it('database C4.1: takes the wanted port where it is free', async () => {
    const localPort = portOf(other)
    other.close()
    await once(other, 'close')
    expect(await bastion({ localPort }).open(endpoint, 5432)).toEqual({ host: '127.0.0.1', port: localPort })
  })

  it.each(['postgres', 'mysql'] as const)(
    'database C4.2: the token and the certificate are those of the endpoint (%s)',
    async (engine) => {
      const tested = databases.find((database) => database.engine === engine)!
      const { server } = tested
      const database = makeDatabase(tested, { host: endpoint, bastion: bastion() })
      await work(database, async ({ db, connectionDetails }) => {
        await db.query('select 1')
        const { port } = connectionDetails
        expect(connectionDetails).toMatchObject({ host: '127.0.0.1', endpoint })
        expect(port).not.toBe(server.port)
        const visitor = connect(port, '127.0.0.1')
        await once(visitor, 'connect')
        visitor.destroy()
      })
      expect(server.queries).toEqual(['select 1'])
      expect(server.logins).toMatchObject([{ servername: endpoint, isEncrypted: true }])
      expect(tokensOf(server)).toMatchObject([{ host: endpoint, port: server.port, isGenuine: true }])
      const name = 'other.c1.eu-central-1.rds.amazonaws.com'
      const strange = makeDatabase(tested, { endpoint: name, host: name, bastion: bastion() })
      const error = await errorOf(work(strange, ({ db }) => db.query('select 1')))
      expect(error.message).toMatch(/does not match certificate's altnames/)
      expect(server.logins).toHaveLength(1)
    },
  )

  it('database C4.3: says where the plugin comes from if it is not installed, and ends the session', async () => {
    const listeners = process.listenerCount('exit')
    const error = await errorOf(bastion({ command: 'no-such-plugin' }).open(endpoint, 5432))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(/^no-such-plugin is not installed: see https:\/\/docs\.aws\.amazon\.com\//)
    expect([count('StartSession'), count('TerminateSession')]).toEqual([1, 1])
    expect(process.listenerCount('exit')).toBe(listeners)
  })

  it('database C4.3: says what the plugin said when it ended at once, and ends the session', async () => {
    setMode('fail')
    const made = bastion()
    const errors = await Promise.all([1, 2, 3].map(() => errorOf(made.open(endpoint, 5432))))
    for (const error of errors) {
      expect(error).toBeInstanceOf(BastionError)
      expect(error.message).toMatch(/has ended with 255: The session was refused$/)
      expect(error.message).not.toContain(token)
    }
    expect([count('StartSession'), count('TerminateSession')]).toEqual([1, 1])
    setMode('work')
    await made.open(endpoint, 5432)
    await reported(2)
  })

  it.each(['postgres', 'mysql'] as const)(
    'X26: a connection that is not made in time makes the next one open a new session (%s)',
    async (engine) => {
      const tested = databases.find((database) => database.engine === engine)!
      setMode('dead')
      const localPort = portOf(other)
      other.close()
      await once(other, 'close')
      const made = bastion({ localPort })
      await made.open(endpoint, tested.server.port)
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      // mysql2 takes them from the module.
      vi.spyOn(timers, 'setTimeout').mockImplementation(globalThis.setTimeout)
      vi.spyOn(timers, 'clearTimeout').mockImplementation(globalThis.clearTimeout)
      const database = makeDatabase(tested, { host: endpoint, bastion: made })
      const state = { isOver: false }
      const failing = errorOf(work(database, ({ db }) => db.query('select 1'))).finally(
        () => (state.isOver = true),
      )
      while (!state.isOver) await vi.advanceTimersByTimeAsync(100)
      const error = await failing
      vi.useRealTimers()
      vi.restoreAllMocks()
      expect(error.message).toMatch(/timeout|ETIMEDOUT/i)
      expect([count('StartSession'), tested.server.connections]).toEqual([1, 0])
      setMode('work')
      await work(database, ({ db }) => db.query('select 1'))
      await work(database, ({ db }) => db.query('select 2'))
      expect(tested.server.queries).toEqual(['select 1', 'select 2'])
      expect([count('StartSession'), count('TerminateSession')]).toEqual([2, 1])
    },
  )

  it.each(['postgres', 'mysql'] as const)(
    'X26: a statement that is not done in time makes the next connection open a new session (%s)',
    async (engine) => {
      const tested = databases.find((database) => database.engine === engine)!
      const { server } = tested
      server.onQuery = (sql) => (sql === 'hang' ? new Promise(() => undefined) : undefined)
      const options = { host: endpoint, bastion: bastion(), statementTimeout: 500 }
      const database = makeDatabase(tested, options)
      await work(database, ({ db }) => db.query('select 1'))
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const hanging = errorOf(work(database, ({ db }) => db.query('hang')))
      while (!server.queries.includes('hang')) await new Promise(setImmediate)
      vi.advanceTimersByTime(500)
      vi.useRealTimers()
      expect((await hanging).name).toBe('StatementTimeoutError')
      await work(database, ({ db }) => db.query('select 2'))
      expect(server.queries.at(-1)).toBe('select 2')
      expect([count('StartSession'), count('TerminateSession')]).toEqual([2, 1])
    },
  )

  it('database C4.3: gives up a plugin that does not listen', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    setMode('silent')
    const error = errorOf(bastion().open(endpoint, 5432))
    const { end } = await reported(1)
    await vi.advanceTimersByTimeAsync(20_000)
    expect((await error).message).toMatch(/did not listen within 20 seconds/)
    await end
    expect(count('TerminateSession')).toBe(1)
  })

  it('database C4.3: refuses to run inside Lambda, and says what to do instead', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop')
    const error = await errorOf(bastion().open(endpoint, 5432))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(/on Lambda, put the function into the VPC/)
    expect(aws.server.calls).toEqual([])
  })

  it('database C4.3: says that there are no credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'])
      vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
    const error = await errorOf(bastion().open(endpoint, 5432))
    expect(error).toBeInstanceOf(BastionError)
    expect(error.message).toMatch(
      /^No session with i-0123abcd in eu-central-1: no AWS credentials were found/,
    )
  })

  it('database C4.4: finds the instance that is online by its name', async () => {
    await bastion({ instanceName: 'bastion' }).open(endpoint, 5432)
    const [describe] = aws.server.calls
    expect(describe).toMatchObject({
      operation: 'DescribeInstanceInformation',
      input: {
        Filters: [
          { Key: 'tag:Name', Values: ['bastion'] },
          { Key: 'PingStatus', Values: ['Online'] },
        ],
      },
    })
    expect((await reported(1)).argv[4]).toContain('"Target":"i-0123abcd"')
  })

  it('database C4.4: names the tag and the region where no instance is online', async () => {
    const error = await errorOf(bastion({ instanceName: 'gone' }).open(endpoint, 5432))
    expect(error).toBeInstanceOf(BastionError)
    expect(error.message).toBe('No instance with the tag Name "gone" is online in eu-central-1')
    const stopped = await errorOf(bastion({ instanceId: 'i-0000dead' }).open(endpoint, 5432))
    expect(stopped).toBeInstanceOf(BastionError)
    expect(stopped.message).toMatch(/^No session with i-0000dead in eu-central-1: TargetNotConnected/)
  })

  it.each<[object, RegExp]>([
    [{}, /needs one of the options "instanceId" and "instanceName"/],
    [{ instanceId: 'i-0123abcd', instanceName: 'x' }, /needs one of the options/],
    [{ instanceId: 'bastion' }, /"instanceId" has a wrong value/],
    [{ instanceName: 'x', localPort: 70_000 }, /"localPort" has a wrong value/],
    [{ instanceName: 'x', port: 1 }, /has no option "port"/],
  ])('database C4.4: refuses the options %o', (options, message) => {
    expect(() => ssmBastion(options)).toThrow(message)
  })

  it.each(['postgres', 'mysql'] as const)(
    'database C4.5: opens the tunnel again when it has died (%s)',
    async (engine) => {
      const tested = databases.find((database) => database.engine === engine)!
      const database = makeDatabase(tested, { host: endpoint, bastion: bastion(), max: 1 })
      const { port, query } = await work(database, async ({ db, connectionDetails }) => {
        const client = await tested.connection(db)
        const isClosed = new Promise((resolve) => socketOf(client).once('close', resolve))
        // What is on its way when the tunnel dies fails.
        const failed = errorOf(client.query('select 1'))
        await crash(await reported(1))
        await isClosed
        client.release()
        return { port: connectionDetails.port, query: await failed }
      })
      expect(query.message).toMatch(/terminated|lost|closed|ECONNRESET|no error/i)
      const queries = await work(database, ({ db }) =>
        Promise.all([1, 2, 3].map((number) => db.query(`select ${number}`))),
      )
      expect(queries).toHaveLength(3)
      const { argv } = await reported(2)
      expect(JSON.parse(argv[4] ?? '')).toMatchObject({
        Parameters: { localPortNumber: [String(port)] },
      })
      expect([count('StartSession'), count('TerminateSession')]).toEqual([2, 1])
    },
  )

  it('database C4.5: opens it at another port if somebody has taken the old one', async () => {
    const made = bastion()
    const { port } = await made.open(endpoint, 5432)
    await crash(await reported(1))
    const taker = createServer().listen(port, '127.0.0.1')
    await once(taker, 'listening')
    const [again, same] = await Promise.all([made.open(endpoint, 5432), made.open(endpoint, 5432)])
    expect(again.port).not.toBe(port)
    expect(same).toEqual(again)
    taker.close()
  })

  it('database C4.6: ends the plugin and its session at end(), and is open to be opened again', async () => {
    const [postgres] = databases as [(typeof databases)[0]]
    const database = makeDatabase(postgres, { host: endpoint, bastion: bastion() })
    await work(database, ({ db }) => db.query('select 1'))
    const { end, session } = await reported(1)
    await database.end()
    await end
    expect(aws.server.calls.at(-1)).toEqual({
      operation: 'TerminateSession',
      input: { SessionId: session.SessionId },
    })
    await work(database, ({ db }) => db.query('select 2'))
    await reported(2)
  })

  it('database C4.6: leaves the tunnels of other databases open, and no listener on the process', async () => {
    const before = ['exit', 'SIGINT', 'SIGTERM'].map((event) => process.listenerCount(event))
    const made = bastion()
    const [one, two] = await Promise.all([made.open(endpoint, 5432), made.open(endpoint, 3306)])
    await made.close(endpoint, 5432)
    expect((await made.open(endpoint, 3306)).port).toBe(two.port)
    expect(count('TerminateSession')).toBe(1)
    await reported(2)
    await made.close()
    await Promise.all(reports.map(({ end }) => end))
    expect(one.port).not.toBe(two.port)
    expect(['exit', 'SIGINT', 'SIGTERM'].map((event) => process.listenerCount(event))).toEqual(before)
  })

  it.each<[string, string, (NodeJS.Signals | undefined)?]>([
    ['has nothing more to do', ''],
    ['says process.exit()', 'process.exit(0)'],
    ['throws', 'setImmediate(() => { throw new Error("end") })'],
    ['is interrupted', 'setInterval(() => undefined, 1000)', 'SIGINT'],
    ['is terminated', 'setInterval(() => undefined, 1000)', 'SIGTERM'],
  ])('database C4.6: ends the plugin with a process that %s', async (_, last, signal) => {
    const [{ server }] = databases as [(typeof databases)[0]]
    const options = {
      engine: 'postgres',
      endpoint,
      port: server.port,
      username: 'app',
      database: 'shop',
      ca: certificate.certFile,
    }
    const script = `
      import middy from '@middy/core'
      import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
      import { ssmBastion } from 'clearskies-middy/middleware/ssm-bastion'
      const bastion = ssmBastion({ instanceId: 'i-0123abcd', command: ${JSON.stringify(command)} })
      const database = iamDbAuth({ ...${JSON.stringify(options)}, bastion })
      await middy().use(database).handler((_, { db }) => db.query('select 1'))({}, {})
      console.log('ready')
      ${last}`
    const child = startScript(script, {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: aws.server.url,
      FAKE_PLUGIN: variable(),
    })
    child.stderr.resume()
    const exit = once(child, 'exit')
    await Promise.race([once(child.stdout, 'data'), exit])
    if (signal !== undefined) child.kill(signal)
    expect((await exit)[1]).toBe(signal ?? null)
    await (
      await reported(1)
    ).end
    expect(server.queries).toEqual(['select 1'])
  })

  it('database C4.7: hands the session’s token over where nobody sees it', async () => {
    await bastion().open(endpoint, 5432)
    const report = await reported(1)
    expect(report.session).toMatchObject({ TokenValue: token, SessionId: expect.any(String) })
    expect(report.argv).toHaveLength(6)
    expect(report.argv.join(' ')).not.toContain('MARKER')
    expect(process.env['AWS_SSM_START_SESSION_RESPONSE']).toBeUndefined()
  })

  it('database C4.7: opens one tunnel for many at once, and one for each database', async () => {
    const made = bastion()
    const entries = await Promise.all(
      [5432, 3306].flatMap((port) => Array.from({ length: 10 }, () => made.open(endpoint, port))),
    )
    expect(new Set(entries.map(({ port }) => port)).size).toBe(2)
    await reported(2)
    expect([count('StartSession'), reports.length]).toEqual([2, 2])
  })

  it.each<[string, string, object, string]>([
    ['the option', endpoint, { region: 'us-east-2' }, 'us-east-2'],
    ['the database’s name', 'shop.c1.eu-west-3.rds.amazonaws.com', {}, 'eu-west-3'],
    ['the environment', 'db.example.com', {}, 'eu-central-1'],
    ['China', 'shop.c1.rds.cn-north-1.amazonaws.com.cn', {}, 'cn-north-1'],
    ['Europe’s own cloud', 'shop.c1.eusc-de-east-1.rds.amazonaws.eu', {}, 'eusc-de-east-1'],
    ['a partition of its own', endpoint, { region: 'us-isob-east-1' }, 'us-isob-east-1'],
  ])('database C4.7: is in the region of %s', async (_, host, options, region) => {
    await bastion({ ...options, profile: 'dev' }).open(host, 5432)
    const suffixes: Record<string, string> = {
      'cn-north-1': 'amazonaws.com.cn',
      'eusc-de-east-1': 'amazonaws.eu',
      'us-isob-east-1': 'sc2s.sgov.gov',
    }
    expect(await reported(1)).toMatchObject({
      region,
      profile: 'dev',
      endpoint: `https://ssm.${region}.${suffixes[region] ?? 'amazonaws.com'}`,
    })
  })
})
