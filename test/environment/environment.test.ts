import { SSMClient } from '@aws-sdk/client-ssm'
import middy from '@middy/core'
import { ConfigurationError, MissingVariableError, ValidationError, environment } from 'clearskies-middy'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { parseDotenv } from '../../src/core/dotenv.ts'
import { useAwsStandIn } from '../support/engines.ts'

const aws = useAwsStandIn()

describe('parseDotenv', () => {
  it.each([
    ['A=1', { A: '1' }],
    ['A=', { A: '' }],
    ['\ufeffA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A=secret://db/x#user', { A: 'secret://db/x#user' }],
    ['A=1 # comment', { A: '1' }],
    ['# comment\n\nA=1', { A: '1' }],
    ['A= # nothing', { A: '' }],
    ['export A=1', { A: '1' }],
    ['A = 1', { A: '1' }],
    ['A=x=y', { A: 'x=y' }],
    ['A="one\\ntwo"', { A: 'one\ntwo' }],
    ["A='one\\ntwo'", { A: 'one\\ntwo' }],
    ['A="one\ntwo" # comment\nB=2', { A: 'one\ntwo', B: '2' }],
    ['A=`a "b"`', { A: 'a "b"' }],
    ['A="a # b"', { A: 'a # b' }],
    ['A=$B', { A: '$B' }],
  ])('reads %j', (text, expected) => {
    expect(Object.fromEntries(parseDotenv(text, '.env'))).toEqual(expected)
  })
})

describe('environment()', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'environment-'))
    aws.server.calls.length = 0
    return () => {
      vi.unstubAllEnvs()
      rmSync(directory, { recursive: true })
    }
  })

  function file(text: string): string {
    const path = join(directory, '.env')
    writeFileSync(path, text)
    return path
  }

  function store(name: string, value: string): void {
    aws.server.parameters.set(name, { versions: [value], type: 'SecureString', labels: new Map() })
  }

  const secrets = () => parameterStore({ client: new SSMClient({ endpoint: aws.server.url }) })

  it('prefers process.env to the file', async () => {
    vi.stubEnv('SHOP_A', 'process')
    const handler = middy()
      .use(invocation())
      .use(environment({ file: file('SHOP_A=file\nSHOP_B=file'), names: ['SHOP_A', 'SHOP_B'] }))
      .handler(async ({ data }, { environment: variables }) => {
        const { SHOP_A, SHOP_B } = variables.values
        return [SHOP_A, SHOP_B, await variables.get(String(data), { optional: true })]
      })
    expect(await invoke(handler, 'SHOP_A')).toEqual(['process', 'file', 'process'])
    expect(await invoke(handler, 'SHOP_NONE')).toEqual(['process', 'file', null])
  })

  it('says which variable is missing, and where it was looked for', async () => {
    const handler = middy()
      .use(invocation())
      .use(environment({ file: file('') }))
      .handler((_, { environment: variables }) => variables.get('SHOP_NONE'))
    await expect(invoke(handler, {})).rejects.toThrow(MissingVariableError)
    await expect(invoke(handler, {})).rejects.toThrow(
      `"SHOP_NONE" is set neither in process.env nor in ${directory}`,
    )
  })

  it('does without a file', async () => {
    vi.stubEnv('SHOP_A', '1')
    const handler = middy()
      .use(invocation())
      .use(environment({ file: join(directory, 'none'), names: ['SHOP_A'] }))
      .handler((_, { environment: { values } }) => values.SHOP_A)
    expect(await invoke(handler, {})).toBe('1')
  })

  it('replaces the addresses of secrets, all in one batch', async () => {
    store('/shop/key', 'hunter2')
    store('/shop/db', '{"user":"ann","next":"secret://shop/key"}')
    const handler = middy()
      .use(invocation())
      .use(secrets())
      .use(
        environment({
          file: file(
            'KEY=secret://shop/key\nSAME=ssm:///shop/key\nUSER=secret://shop/db#user\nNEXT=secret://shop/db?key=next',
          ),
          names: ['KEY', 'SAME', 'USER', 'NEXT'],
        }),
      )
      .handler((_, { environment: { values } }) => [values.KEY, values.SAME, values.USER, values.NEXT])
    vi.stubEnv('USER', undefined)
    // What a secret holds is not an address, whatever it looks like.
    expect(await invoke(handler, {})).toEqual(['hunter2', 'hunter2', 'ann', 'secret://shop/key'])
    expect(aws.server.calls).toHaveLength(1)
    expect(process.env['KEY']).toBeUndefined()
  })

  it.each([
    ['secret://', 'names no secret behind secret://'],
    ['secret://#user', 'names no secret behind secret://'],
    ['secretsmanager://shop', 'needs secretsManager() in front of environment()'],
  ])('says which variable has the useless address %s', async (value, message) => {
    const handler = middy()
      .use(invocation())
      .use(secrets())
      .use(environment({ file: file(`SHOP_A=${value}`), names: ['SHOP_A'] }))
      .handler(() => 1)
    await expect(invoke(handler, {})).rejects.toThrow(ConfigurationError)
    await expect(invoke(handler, {})).rejects.toThrow(`"SHOP_A"`)
    await expect(invoke(handler, {})).rejects.toThrow(message)
  })

  it('checks and converts values by a schema', async () => {
    const schema = z.object({ SHOP_PORT: z.coerce.number().int(), SHOP_DEBUG: z.stringbool().default(false) })
    const options = { names: ['SHOP_PORT', 'SHOP_DEBUG'], schema } as const
    const handler = (text: string) =>
      middy()
        .use(invocation())
        .use(environment({ file: file(text), ...options }))
        .handler((_, { environment: { values } }) => ({
          next: values.SHOP_PORT + 1,
          debug: values.SHOP_DEBUG,
        }))
    expect(await invoke(handler('SHOP_PORT=8080'), {})).toEqual({ next: 8081, debug: false })
    await expect(invoke(handler('SHOP_PORT=x'), {})).rejects.toThrow(ValidationError)
  })

  it('shows no value', async () => {
    let seen: unknown
    const handler = middy()
      .use(invocation())
      .use(environment({ file: file('SHOP_A=hunter2'), names: ['SHOP_A'] }))
      .handler((_, context) => {
        seen = {
          environment: context.environment,
          values: context.environment.values,
          read: context.environment.values.SHOP_A,
        }
      })
    await invoke(handler, {})
    const { read, ...shown } = seen as Record<string, unknown>
    expect(read).toBe('hunter2')
    expect(JSON.stringify(shown) + inspect(shown, { showHidden: true, depth: 9 })).not.toContain('hunter2')
  })
})
