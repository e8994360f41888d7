import { getSecret } from '@aws-lambda-powertools/parameters/secrets'
import { getParameter, getParametersByName } from '@aws-lambda-powertools/parameters/ssm'
import middySecretsManager from '@middy/secrets-manager'
import ssm from '@middy/ssm'
import { setTimeout } from 'node:timers/promises'
import { AwsError } from '../examples/shop/local/aws-stand-in.ts'
import { parameterStore } from '../dist/middleware/parameter-store.js'
import { secretsManager } from '../dist/middleware/secrets-manager.js'
import type { Secrets } from '../dist/middleware/secrets.js'
import { type Contender, type Measurement, compare, table } from './harness.ts'
import {
  type Before,
  aws,
  client,
  invocation,
  middyLoader,
  names,
  paths,
  resetPowertools,
  secretsClient,
  secretsOf,
} from './secrets-contenders.ts'
export { closeSecrets } from './secrets-contenders.ts'

/** What reading some secrets at once comes to. */
export interface Calls {
  readonly calls: number
  /** How many of them are under way at the same time. */
  readonly atOnce: number
}

export interface CallCounts {
  readonly name: string
  readonly onePath?: Calls
  readonly paths?: Calls
  readonly secrets?: Calls
}

const path = paths[0] as string

/** One value, read before: microseconds to have it again. */
export async function benchWarm(rounds: number): Promise<Measurement[]> {
  const secrets = await secretsOf(parameterStore({ client }))
  const before = parameterStore({ client, fetch: { key: path } }).before as unknown as Before
  const middyBefore = middyLoader(ssm, [path])
  resetPowertools()
  const resolved = Promise.resolve('hunter2')

  const repeated = (name: string, get: () => unknown): Contender => ({
    name,
    prepare: (count) => Array.from({ length: count }),
    async run(inputs) {
      for (const _ of inputs)
        if ((await get()) !== 'hunter2') throw new Error(`${name} has given another value`)
    },
  })
  const invoked = (name: string, hook: Before, valueOf: (context: never) => unknown): Contender => ({
    name,
    prepare: (count) => Array.from({ length: count }, invocation),
    async run(inputs) {
      for (const input of inputs as ReturnType<typeof invocation>[]) {
        await hook(input)
        if (valueOf(input.context as never) !== 'hunter2') throw new Error(`${name} has given another value`)
        // As Middy does when the handler has answered: an invocation without an end would stay among those that run.
        Object.assign(input, { response: null })
      }
    },
  })
  return compare(
    [
      repeated('clearskies-middy secrets.get(path)', () => secrets.get(path)),
      repeated('await of a resolved promise', () => resolved),
      repeated('Powertools getParameter(path)', () => getParameter(path, { decrypt: true, maxAge: 3600 })),
      invoked(
        'clearskies-middy, a whole before, one value',
        before,
        ({ secrets }: { secrets: Secrets<'key'> }) => secrets.values.key,
      ),
      invoked('@middy/ssm, a whole before, one value', middyBefore, ({ k0 }: { k0: string }) => k0),
    ],
    { rounds, count: 10_000, batch: 500 },
  )
}

/** How many calls a server counts. */
export async function benchCalls(): Promise<CallCounts[]> {
  const hundred = Array.from({ length: 100 }, () => path)
  const together = <T>(list: readonly T[], run: (item: T) => unknown) => Promise.all(list.map(run))
  const ours = await secretsOf(parameterStore({ client }))
  const others = await secretsOf(parameterStore({ client }))
  const oursOfManager = await secretsOf(secretsManager({ client: secretsClient }))
  const oneBefore = middyLoader(ssm, [path])
  return [
    {
      name: 'clearskies-middy',
      onePath: await counted(() => together(hundred, (path) => ours.get(path))),
      paths: await counted(() => together(paths, (path) => others.get(path))),
      secrets: await counted(() => together(names, (name) => oursOfManager.get(name))),
    },
    {
      name: '@middy/ssm, @middy/secrets-manager',
      onePath: await counted(() => together(hundred, () => oneBefore(invocation()))),
      paths: await counted(() => middyLoader(ssm, paths)(invocation())),
      secrets: await counted(() => middyLoader(middySecretsManager, names)(invocation())),
    },
    {
      name: 'Powertools getParameter, getSecret',
      onePath: await counted(() => together(hundred, (path) => getParameter(path))),
      paths: await counted(() => together(paths, (path) => getParameter(path))),
      secrets: await counted(() => together(names, (name) => getSecret(name))),
    },
    {
      name: 'Powertools getParametersByName',
      paths: await counted(() =>
        getParametersByName(Object.fromEntries(paths.map((path) => [path, {}])), {
          decrypt: true,
        }),
      ),
    },
  ]
}

async function counted(read: () => unknown): Promise<Calls> {
  let now = 0
  let atOnce = 0
  resetPowertools()
  aws.calls.length = 0
  aws.intercept = async () => {
    atOnce = Math.max(atOnce, ++now)
    await setTimeout(20)
    now--
  }
  await read()
  aws.intercept = undefined
  return { calls: aws.calls.length, atOnce }
}

/** What a store that is down costs a warm function with values at hand. */
export interface OutageCost {
  readonly name: string
  /** Invocations that had no value. */
  readonly failed: number
  readonly calls: number
  readonly milliseconds: number
}

const invocations = 10

/** Ten invocations one after the other, in each of which the value has grown old and the store throttles. */
export async function benchOutage(): Promise<OutageCost[]> {
  const quiet = { warn() {}, error() {} }
  const ours = parameterStore({ client, ttl: 0, fetch: { key: path }, logger: quiet })
    .before as unknown as Before
  const middys = middyLoader(ssm, [path], { cacheExpiry: 0 })
  resetPowertools()
  return [
    await outageOf('clearskies-middy', async () => {
      const request = invocation()
      await ours(request)
      const { secrets } = request.context as unknown as { secrets: Secrets<'key'> }
      return [secrets.values.key, await secrets.get(path)]
    }),
    await outageOf('@middy/ssm', () => middys(invocation())),
    await outageOf('Powertools getParameter(path)', () =>
      getParameter(path, { decrypt: true, maxAge: 0.001 }),
    ),
  ]
}

async function outageOf(name: string, invoke: () => unknown): Promise<OutageCost> {
  await invoke()
  await setTimeout(10)
  aws.intercept = () => {
    throw new AwsError('ThrottlingException', 'Rate exceeded')
  }
  // The first failure is what tells of the outage.
  await Promise.resolve(invoke()).catch(() => {})
  aws.calls.length = 0
  const begin = performance.now()
  let failed = 0
  for (let left = invocations; left > 0; left--) await Promise.resolve(invoke()).catch(() => failed++)
  const milliseconds = performance.now() - begin
  aws.intercept = undefined
  return { name, failed, calls: aws.calls.length, milliseconds }
}

export function outageTable(rows: readonly OutageCost[]): string {
  return table(
    `${invocations} invocations while the store throttles, after the first that noticed`,
    ['', 'without a value', 'calls', 'ms in all'],
    rows.map(({ name, failed, calls, milliseconds }) => [
      name,
      String(failed),
      String(calls),
      milliseconds.toFixed(1),
    ]),
  )
}

export function warmTable(rows: readonly Measurement[]): string {
  return table(
    'A secret that was read before',
    ['', 'µs', 'beside secrets.get'],
    rows.map(({ name, median, ratio }) => [name, median.toFixed(3), ratio.toFixed(2)]),
  )
}

export function callsTable(rows: readonly CallCounts[]): string {
  const shown = (calls: Calls | undefined): string =>
    calls === undefined ? '' : `${calls.calls} (${calls.atOnce} at once)`
  return table(
    'Calls that a server counts',
    ['', '100 of one path', '25 paths', '25 secrets'],
    rows.map(({ name, onePath, paths, secrets }) => [name, shown(onePath), shown(paths), shown(secrets)]),
  )
}
