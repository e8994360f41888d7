import { getSecret } from '@aws-lambda-powertools/parameters/secrets'
import { getParameter, getParametersByName } from '@aws-lambda-powertools/parameters/ssm'
import middySecretsManager from '@middy/secrets-manager'
import ssm from '@middy/ssm'
import { setTimeout } from 'node:timers/promises'
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
