// environment() where several invocations and several chains share a process.
import middy from '@middy/core'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import middy6 from 'middy-core-6'
import { InvalidEnvironmentError } from 'clearskies-middy'
import { environment } from 'clearskies-middy/middleware/environment'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke, memorySecrets } from 'clearskies-middy/testing'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as valibot from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { reachableText } from '../support/reachable-text.ts'
import { runScript } from '../support/run-script.ts'
import { Gate, outcomes, useSecretStores } from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()
const [parameters] = stores as [(typeof stores)[0]]

describe.each([
  ['Middy 7', middy],
  ['Middy 6', middy6 as unknown as typeof middy],
])('%s', (_, core) => {
  it('X4: one environment() in two chains with different stores gives each handler its own secret', async () => {
    const gate = new Gate()
    const shared = environment({ file: false, overrides: { A: 'secret://p/a' }, names: ['A'] })
    const chain = (value: string) =>
      core()
        .use(invocation())
        .use(memorySecrets({ '/p/a': value }))
        .use(shared)
        .handler(async (request, { environment: variables }) => {
          await gate.wait()
          return [variables.values.A, await variables.get('A')]
        })
    const running = [invoke(chain('ONE'), {}), invoke(chain('TWO'), {})]
    await gate.arrivals(2)
    gate.open()
    expect(await Promise.all(running)).toEqual([
      ['ONE', 'ONE'],
      ['TWO', 'TWO'],
    ])
  })

  it('X1: values of an invocation stay as loaded, while fifty others write the secret and load it anew', async () => {
    const shared = environment({ file: false, overrides: { A: 'secret://p/a' }, names: ['A'] })
    const chain = core()
      .use(invocation())
      .use(memorySecrets({ '/p/a': '0' }))
      .use(shared)
      .handler(async ({ data }, { environment: variables, secrets }): Promise<unknown[]> => {
        const loaded = variables.values.A
        await secrets.update('/p/a', String(data))
        const inner = Number(data) < 50 ? await invoke<unknown[]>(chain, Number(data) + 1) : []
        return [...inner, loaded === variables.values.A, loaded]
      })
    const found = await invoke<unknown[]>(chain, 1)
    expect(found.filter((_value, index) => index % 2 === 0)).toEqual(Array(50).fill(true))
    expect(new Set(found).size, 'each has loaded another value').toBe(51)
  })
})

describe('the region in the file', () => {
  const script = (directory: string, body: string) => `
    import middy from '@middy/core'
    import { createServer } from 'node:http'
    import { environment } from 'clearskies-middy/middleware/environment'
    import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
    const server = createServer((request, response) => {
      const region = /Credential=[^/]+\\/\\d+\\/([^/]+)/.exec(request.headers.authorization)[1]
      response.end(JSON.stringify({ Parameters: [{ Name: '/a', Value: region }] }))
    }).listen(0, '127.0.0.1', async () => {
      process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:' + server.address().port
      process.chdir(${JSON.stringify(directory)})
      const chain = (options, fetch) => middy().use(parameterStore({ fetch })).use(environment(options))
        .handler((_, { secrets }) => secrets.get('/a', { refresh: true }))
      const call = (handler) => handler({}, {}).catch((error) => error.message)
      ${body}
      server.close()
      server.closeAllConnections()
    })`

  function regions(body: string): unknown {
    const directory = mkdtempSync(join(tmpdir(), 'regions-'))
    try {
      writeFileSync(join(directory, 'a.env'), 'AWS_REGION=eu-north-1')
      writeFileSync(join(directory, 'b.env'), 'AWS_REGION=eu-south-1')
      const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
      const { stdout, stderr } = runScript(script(directory, body), keys)
      expect(stderr).toBe('')
      return JSON.parse(stdout)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  it('X4: another environment() without a file takes no region from this chain', () => {
    const found = regions(`
      const first = chain({ file: 'a.env' }, { a: '/a' })
      const second = chain({ file: false })
      console.log(JSON.stringify([await call(first), await call(second), await call(first)]))`)
    expect(found).toEqual([
      'eu-north-1',
      expect.stringContaining('No AWS region is set: give AWS_REGION in the environment'),
      'eu-north-1',
    ])
  })

  it('X4: two chains have the region of their own file, one after the other and beside each other', () => {
    const found = regions(`
      const chains = [chain({ file: 'a.env' }), chain({ file: 'b.env' })]
      const alone = [await call(chains[0]), await call(chains[1])]
      console.log(JSON.stringify([...alone, ...await Promise.all([...chains, ...chains].map(call))]))`)
    const [a, b] = ['eu-north-1', 'eu-south-1']
    expect(found).toEqual([a, b, a, b, a, b])
  })

  it('X4: in front of environment(), files that do not agree are an error, and no region is guessed', () => {
    const found = regions(`
      const first = chain({ file: 'a.env' }, { a: '/a' })
      chain({ file: 'b.env' })
      console.log(JSON.stringify(await call(first)))`)
    expect(found).toContain('name different AWS regions: set AWS_REGION in the environment')
  })
})

describe('X19: the findings of a schema', () => {
  const canary = 'CANARY-a1b2c3'
  const text = JSON.stringify({ [canary]: 1 })
  const keys = z.record(z.string(), z.string())
  const issue = { code: 'custom' as const, message: canary }

  it.each<[string, StandardSchemaV1, string[][]]>([
    [
      'a path that holds a part of the value',
      z.object({
        SEC: z
          .string()
          .transform((value) => JSON.parse(value) as unknown)
          .pipe(keys),
      }),
      [['SEC']],
    ],
    [
      'a path that begins with the value',
      z.object({ SEC: z.string() }).superRefine((_, context) => {
        context.addIssue({ ...issue, path: [canary] })
      }),
      [[]],
    ],
    [
      'no path',
      z.object({ SEC: z.string() }).superRefine((_, context) => {
        context.addIssue(issue)
      }),
      [[]],
    ],
    [
      'a path of objects',
      valibot.object({
        SEC: valibot.pipe(
          valibot.string(),
          valibot.transform((value) => JSON.parse(value) as unknown),
          valibot.record(valibot.string(), valibot.string()),
        ),
      }),
      [['SEC']],
    ],
    [
      'several of one variable',
      z.object({
        SEC: z.string().superRefine((value, context) => {
          for (const part of value) context.addIssue({ ...issue, path: [part] })
        }),
      }),
      [['SEC']],
    ],
  ])('with %s tell the declared variable alone', async (_, schema, paths) => {
    const handler = middy()
      .use(environment({ file: false, overrides: { SEC: text }, names: ['SEC'], schema }))
      .handler(() => 'reached')
    const [error] = await outcomes([invoke(handler, {})])
    expect(error).toBeInstanceOf(InvalidEnvironmentError)
    expect((error as InvalidEnvironmentError).errors.map(({ path }) => path)).toEqual(paths)
    expect(String(error)).toBe(
      `InvalidEnvironmentError: The environment is not valid${paths[0]?.[0] ? ': SEC' : ''}`,
    )
    expect(reachableText(error) + JSON.stringify(error)).not.toContain('CANARY')
  })
})

it('X9: a variable that is a secret costs no waiting in an outage', async () => {
  parameters.put('/p/a', 'old')
  const handler = middy()
    .use(invocation())
    .use(parameterStore({ client: parameters.client(), ttl: 0, logger: { warn() {}, error() {} } }))
    .use(environment({ file: false, overrides: { A: 'secret://p/a' }, names: ['A'] }))
    .handler(async (_, { environment: variables }) => [variables.values.A, await variables.get('A')])
  await invoke(handler, {})
  aws.server.intercept = (_, __, response) => void response.socket?.resetAndDestroy()
  await invoke(handler, {})
  aws.server.calls.length = 0
  expect(await invoke(handler, {})).toEqual(['old', 'old'])
  expect(aws.server.calls).toEqual([])
})
