// The catalogue of the environment's cases (C2), in the order of its numbers.
import middy from '@middy/core'
import {
  ConfigurationError,
  DotenvError,
  InvalidEnvironmentError,
  InvalidVariableError,
  MissingVariableError,
  SecretError,
  SecretNotFoundError,
  SecretTimeoutError,
  ValidationError,
} from 'clearskies-middy'
import {
  type Environment,
  type EnvironmentOptions,
  environment,
} from 'clearskies-middy/middleware/environment'
import type { SecretsOptions } from 'clearskies-middy/middleware/parameter-store'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { httpApiEvent, invoke, memorySecrets } from 'clearskies-middy/testing'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseEnv } from 'node:util'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import dotenv from 'dotenv'
import * as valibot from 'valibot'
import { z } from 'zod'
import { parseDotenv } from '../../src/core/dotenv.ts'
import { reachableText } from '../support/reachable-text.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { runScript } from '../support/run-script.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { Gate, fakeClock, namesOf, outcomes, useSecretStores } from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()
const [parameters, secretsOfManager] = stores as [(typeof stores)[0], (typeof stores)[0]]

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'environment-'))
  return () => {
    rmSync(directory, { recursive: true })
  }
})

function file(text: string): string {
  const path = join(directory, '.env')
  writeFileSync(path, text)
  return path
}

const loader = ({ make, client }: (typeof stores)[0], options: SecretsOptions = {}) =>
  make({ client: client(), logger: new RecordingLogger(), ...options })

/** The environment as a handler sees it, behind the loaders of secrets. */
async function open(
  options: EnvironmentOptions,
  loaders: readonly ReturnType<typeof loader>[] = [],
): Promise<Environment<Readonly<Record<string, unknown>>>> {
  let seen: unknown
  const handler = middy()
    .use(invocation())
    .use([...loaders, environment(options)])
    .handler((_, context) => {
      seen = (context as unknown as { environment: unknown }).environment
    })
  await invoke(handler, {})
  return seen as Environment<Readonly<Record<string, unknown>>>
}

describe('where variables come from', () => {
  it('environment C2.1: overrides before process.env before the file, for all of the ways to read', async () => {
    vi.stubEnv('SHOP_A', 'process')
    vi.stubEnv('SHOP_B', 'process')
    const text = 'SHOP_A=file\nSHOP_B=file\nSHOP_C=file\nSHOP_D=1'
    const names = ['SHOP_A', 'SHOP_B', 'SHOP_C']
    const variables = await open({ file: file(text), overrides: { SHOP_A: 'override', SHOP_D: '2' }, names })
    expect(await Promise.all(names.map((name) => variables.get(name)))).toEqual([
      'override',
      'process',
      'file',
    ])
    expect(names.map((name) => variables.values[name])).toEqual(['override', 'process', 'file'])
    expect(await variables.int('SHOP_D')).toBe(2)
  })

  it('environment C2.1: an empty value in front hides the value behind it', async () => {
    vi.stubEnv('SHOP_A', '')
    expect(await (await open({ file: file('SHOP_A=file') })).get('SHOP_A')).toBe('')
  })

  it('environment C2.1: without a file there is nothing to read in it', async () => {
    for (const path of [join(directory, 'none'), false] as const) {
      const variables = await open({ file: path })
      expect(await variables.get('SHOP_NONE', { optional: true })).toBeUndefined()
      await expect(variables.get('SHOP_NONE')).rejects.toThrow(MissingVariableError)
    }
    await expect((await open({ file: false })).get('SHOP_NONE')).rejects.toThrow('"SHOP_NONE" is set neither')
  })

  it.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'environment C2.1: no variable is called %s unless it is set',
    async (name) => {
      const variables = await open({ file: false })
      await expect(variables.get(name)).rejects.toThrow(MissingVariableError)
      expect(await (await open({ file: file(`${name}=1`) })).get(name)).toBe('1')
    },
  )

  it('environment C2.1: a file that cannot be read is an error that names it', async () => {
    const path = join(directory, 'folder')
    mkdirSync(path)
    await expect((await open({ file: path })).get('SHOP_NONE')).rejects.toThrow(
      `The file ${path} cannot be read: EISDIR`,
    )
  })

  it('environment C2.1: a file that may not be read is an error that names it', () => {
    const path = file('SHOP_A=hunter2')
    chmodSync(directory, 0o755)
    chmodSync(path, 0)
    // Whoever may read everything gives that up first.
    const { stdout, stderr } = runScript(`
      import middy from '@middy/core'
      import { environment } from 'clearskies-middy/middleware/environment'
      const handler = middy().use(environment({ file: ${JSON.stringify(path)}, names: ['SHOP_A'] })).handler(() => 'reached')
      if (process.getuid() === 0) process.seteuid(65534)
      console.log(await handler({}, {}).catch((error) => error.message))`)
    expect(stderr).toBe('')
    expect(stdout.trim()).toBe(`The file ${path} cannot be read: EACCES`)
  })
})

describe('the file', () => {
  it.each<[string, string, Readonly<Record<string, string>>]>([
    ['C2.2', 'A=', { A: '' }],
    ['C2.2', 'A=\nB=2', { A: '', B: '2' }],
    ['C2.2', '\ufeffA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['C2.2', 'A=1\rB=2', { A: '1', B: '2' }],
    ['C2.2', '\ufeff', {}],
    ['C2.2', 'A="one\r\ntwo"', { A: 'one\ntwo' }],
    ['C2.3', 'A=secret://db/x#user', { A: 'secret://db/x#user' }],
    ['C2.3', 'A=secret://db/x#user # which user', { A: 'secret://db/x#user' }],
    ['C2.3', 'A=secret://db/x?key=user', { A: 'secret://db/x?key=user' }],
    ['C2.3', 'A=#fff', { A: '#fff' }],
    ['C2.3', 'A= # nothing', { A: '' }],
    ['C2.3', 'A=1\t# comment', { A: '1' }],
    ['C2.3', 'A=1#2 #3', { A: '1#2' }],
    ['C2.4', 'A="a # b" # c', { A: 'a # b' }],
    ['C2.4', "A='a # b'#c", { A: 'a # b' }],
    ['C2.4', 'A=`a "b" \'c\'`', { A: 'a "b" \'c\'' }],
    ['C2.4', 'A="a\\nb\\tc\\rd\\"e\\\\n"', { A: 'a\nb\tc\rd"e\\n' }],
    ['C2.4', "A='a\\nb'", { A: 'a\\nb' }],
    ['C2.4', 'A=a\\nb', { A: 'a\\nb' }],
    ['C2.4', 'export A=1\n  export\tB = 2', { A: '1', B: '2' }],
    ['C2.4', 'export=1', { export: '1' }],
    ['C2.4', 'A="-----BEGIN\none\ntwo\n-----END"\nB=2', { A: '-----BEGIN\none\ntwo\n-----END', B: '2' }],
    ['C2.4', 'A=x=y==', { A: 'x=y==' }],
    ['C2.4', 'A=$B ${C} $(d)', { A: '$B ${C} $(d)' }],
    ['C2.4', 'A=1\nA=2', { A: '2' }],
    ['C2.4', 'A=it\'s "fine"', { A: 'it\'s "fine"' }],
    ['C2.4', 'A=""\nB=\'\'', { A: '', B: '' }],
    ['C2.4', 'A= spaced value  \t', { A: 'spaced value' }],
    ['C2.4', 'A=" kept "', { A: ' kept ' }],
    ['C2.4', 'A=\u2028x\nB=2', { A: '\u2028x', B: '2' }],
    ['C2.4', '# \u2028 comment\nB=2', { B: '2' }],
    ['C2.4', 'A.B=1\nA-B=2\n_a=3', { 'A.B': '1', 'A-B': '2', _a: '3' }],
    ['C2.4', '__proto__=1', JSON.parse('{"__proto__":"1"}') as Record<string, string>],
    ['C2.5', 'A=true\nB=007\nC=1_000\nD=1e5\nE=nan', { A: 'true', B: '007', C: '1_000', D: '1e5', E: 'nan' }],
  ])('%s: reads %j', (_, text, expected) => {
    expect(Object.fromEntries(parseDotenv(text, '.env'))).toEqual(expected)
  })

  it.each<[string, number, Readonly<Record<string, string>>]>([
    ['=hunter2\nB=2', 1, { B: '2' }],
    ['A=1\nnoequals hunter2\nB=2', 2, { A: '1', B: '2' }],
    ['A=1\n\n# x\nÄ=hunter2', 4, { A: '1' }],
    ['A="hunter2" more\nB=2', 1, { B: '2' }],
    ['export hunter2\nB=2', 1, { B: '2' }],
    ['A: hunter2\nB=2', 1, { B: '2' }],
    ['A="one\ntwo"\nB="hunter2"y\nC=3', 3, { A: 'one\ntwo', C: '3' }],
    [`A='I'"'"'m hunter2'\nB=2`, 1, { B: '2' }],
    ['A B=hunter2\nB=2', 1, { B: '2' }],
  ])(
    'environment C2.4, X25: %j loses line %d alone, with a warning without its text',
    (text, line, expected) => {
      const logger = new RecordingLogger()
      expect(Object.fromEntries(parseDotenv(text, '/etc/shop.env', logger))).toEqual(expected)
      expect(logger.warnings).toEqual([
        {
          message: `/etc/shop.env:${line} is skipped, because it is no variable: write NAME=value`,
          details: new DotenvError('/etc/shop.env', line),
        },
      ])
      expect(reachableText(logger.warnings)).not.toContain('hunter2')
    },
  )

  it.each<[string, Readonly<Record<string, string>>]>([
    ['1A=x\n-B=y\n.C=z', { '1A': 'x', '-B': 'y', '.C': 'z' }],
    ["A='it\nB=2", { A: "'it", B: '2' }],
    ['A="one\nB=2', { A: '"one', B: '2' }],
    ['A=`x # comment\nB=2', { A: '`x', B: '2' }],
    ["A='a\\'\nB=2", { A: 'a\\', B: '2' }],
    ['A=b "c"', { A: 'b "c"' }],
  ])('X25: reads %j without a warning', (text, expected) => {
    const logger = new RecordingLogger()
    expect(Object.fromEntries(parseDotenv(text, '.env', logger))).toEqual(expected)
    expect(logger.warnings).toEqual([])
  })

  it('X25: what Node and dotenv read alike is read so, but for # without a space and for escapes', () => {
    const random = seededRandom(25)
    const parts = ['B1', 'export ', ...Array.from('A1==x#-. \t"\'`\n\n')]
    let alike = 0
    for (let round = 0; round < 20_000; round++) {
      const length = 1 + Math.floor(random() * 9)
      const text = Array.from({ length }, () => parts[Math.floor(random() * parts.length)]).join('')
      if (/[^\s]#|=#/.test(text)) continue
      const node = { ...parseEnv(text) }
      if (!isDeepStrictEqual(node, dotenv.parse(text))) continue
      alike++
      expect(
        Object.fromEntries(parseDotenv(text, '.env', new RecordingLogger())),
        JSON.stringify(text),
      ).toEqual(node)
    }
    expect(alike).toBeGreaterThan(5000)
  })

  it('X25: a long value of spaces costs time that grows with its length alone', () => {
    const spaces = ' '.repeat(200_000)
    for (const text of [
      `A=x${spaces}y`,
      `A=${spaces}`,
      `A${spaces}`,
      `${spaces}A=1`,
      `A='x'${spaces}y`,
      `A=x${spaces}#`,
    ])
      expect(parseDotenv(`${text}\nB=2`, '.env', new RecordingLogger()).get('B')).toBe('2')
  })

  it('X25: a malformed file fails nothing, and warns once for a middleware', async () => {
    const logger = new RecordingLogger()
    const path = file('hunter2\nSHOP_C=3')
    const handler = middy()
      .use(environment({ file: path, logger }))
      .handler((_, { environment: variables }) => variables.get('SHOP_C'))
    for (let round = 0; round < 3; round++) expect(await invoke(handler, {})).toBe('3')
    expect(logger.warnings.map(({ message }) => message)).toEqual([
      `${path}:1 is skipped, because it is no variable: write NAME=value`,
    ])
  })

  it('AWS_REGION in the file is where a client of the library looks for its region, unless process.env has it', () => {
    writeFileSync(join(directory, '.env'), 'AWS_REGION=eu-north-1')
    writeFileSync(join(directory, 'shop.env'), 'AWS_REGION=eu-south-1')
    const script = (options: string, setUp = '') => `
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
        ${setUp}
        // The loader begins to read before it is known which file there is.
        const handler = middy().use(parameterStore({ fetch: { a: '/a' } })).use(environment(${options}))
          .handler((_, { secrets }) => secrets.values.a)
        console.log(await handler({}, {}).catch((error) => error.message))
        server.close()
        server.closeAllConnections()
      })`
    const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
    const region = (...args: Parameters<typeof script>) => runScript(script(...args), keys).stdout.trim()
    expect(region('{}')).toBe('eu-north-1')
    expect(region(`{ file: 'shop.env' }`)).toBe('eu-south-1')
    expect(region('{}', `process.env.AWS_REGION = 'eu-west-1'`)).toBe('eu-west-1')
    expect(region('{ file: false }')).toContain('No AWS region is set: give AWS_REGION in the environment')
  })
})

describe('environment C2.5: types', () => {
  const origins = [
    ['process.env', (value: string) => (vi.stubEnv('SHOP_A', value), { file: false as const })],
    ['the file', (value: string) => ({ file: file(`SHOP_A='${value}'`) })],
    ['overrides', (value: string) => ({ file: false as const, overrides: { SHOP_A: value } })],
    [
      'a secret',
      (value: string) => {
        parameters.put('/shop/typed', value)
        return { file: false as const, overrides: { SHOP_A: 'secret://shop/typed' } }
      },
    ],
  ] as const

  describe.each(origins)('from %s', (_, set) => {
    const variables = (value: string) => open(set(value), [loader(parameters)])

    it.each(['true', '1', 'nan', '007', '1_000', '{"a":1}'])('get() of %s is text', async (value) => {
      expect(await (await variables(value)).get('SHOP_A')).toBe(value)
    })

    it.each([
      ['8080', 8080],
      [' 7 ', 7],
      ['-1', -1],
      ['+1', 1],
      ['007', 7],
      ['0', 0],
    ])('int() of "%s" is %d', async (value, expected) => {
      expect(await (await variables(value)).int('SHOP_A')).toBe(expected)
    })

    it.each(['hunter2', '1.5', '1e5', '0x10', '1_000', 'NaN', 'Infinity', '9007199254740993', ' '])(
      'int() of "%s" is an error that does not show it',
      async (value) => {
        const [error] = await outcomes([(await variables(value)).int('SHOP_A')])
        expect(error).toBeInstanceOf(InvalidVariableError)
        expect(String(error)).toBe(
          'InvalidVariableError: The environment variable "SHOP_A" is not a whole number',
        )
      },
    )

    it.each([
      ...['true', 'TRUE', '1', 'yes', 'on', ' true '].map((value) => [value, true] as const),
      ...['false', 'False', '0', 'no', 'off'].map((value) => [value, false] as const),
    ])('bool() of "%s" is %s', async (value, expected) => {
      expect(await (await variables(value)).bool('SHOP_A')).toBe(expected)
    })

    it.each(['hunter2', '2', 'y', ' '])('bool() of "%s" is an error', async (value) => {
      await expect((await variables(value)).bool('SHOP_A')).rejects.toThrow(InvalidVariableError)
    })

    it('json() is what the text says, or an error that does not show it', async () => {
      expect(await (await variables('{"a":[1]}')).json('SHOP_A')).toEqual({ a: [1] })
      const [error] = await outcomes([(await variables('{"a":hunter2}')).json('SHOP_A')])
      expect(error).toBeInstanceOf(InvalidVariableError)
      expect(String(error)).toContain('"SHOP_A" is not valid JSON: it breaks at position 5')
      expect(String(error)).not.toContain('hunter2')
    })
  })

  it('what is not set is an error, or undefined if that is wanted', async () => {
    const variables = await open({ file: false })
    for (const getter of ['get', 'int', 'bool', 'json'] as const) {
      await expect(variables[getter]('SHOP_NONE')).rejects.toThrow(MissingVariableError)
      expect(await variables[getter]('SHOP_NONE', { optional: true } as never)).toBeUndefined()
    }
  })
})

describe('secrets', () => {
  const value = async (address: string, ...loaders: readonly ReturnType<typeof loader>[]) =>
    (await open({ file: false, overrides: { SHOP_A: address } }, loaders)).get('SHOP_A')

  it.each([
    ['secret://x/y', '/x/y'],
    ['secret:///x/y', '/x/y'],
    ['ssm://x/y', '/x/y'],
    ['ssm:///x/y', '/x/y'],
    ['secret://x/y:1', '/x/y:1'],
    ['ssm://arn:aws:ssm:eu-central-1:123456789012:parameter/x/y', undefined],
  ])('environment C2.6: %s is a parameter', async (address, name) => {
    parameters.put('/x/y', 'hunter2')
    expect(await value(address, loader(parameters))).toBe('hunter2')
    expect(namesOf(aws.server.calls[0]!.input)).toEqual([name ?? address.slice('ssm://'.length)])
  })

  it.each(['secret://x/y', 'secretsmanager://x/y'])(
    'environment C2.6: %s is a secret, as it is written',
    async (address) => {
      secretsOfManager.put('x/y', 'hunter2')
      expect(await value(address, loader(secretsOfManager))).toBe('hunter2')
      secretsOfManager.put('/x/y', 'with a slash')
      expect(await value(address.replace('://', ':///'), loader(secretsOfManager))).toBe('with a slash')
    },
  )

  it('environment C2.6: the scheme chooses the store, whichever stands first, and under whichever key', async () => {
    parameters.put('/x', 'parameter')
    secretsOfManager.put('x', 'secret')
    for (const loaders of [
      [loader(parameters), loader(secretsOfManager)],
      [loader(secretsOfManager), loader(parameters)],
      [loader(parameters), loader(secretsOfManager, { as: 'vault' })],
    ]) {
      expect(await value('ssm://x', ...loaders)).toBe('parameter')
      expect(await value('secretsmanager://x', ...loaders)).toBe('secret')
    }
  })

  it('environment C2.6: a field is picked by # or by ?key=', async () => {
    parameters.put('/db', '{"user":"ann"}')
    expect(await value('secret://db#user', loader(parameters))).toBe('ann')
    expect(await value('secret://db?key=user', loader(parameters))).toBe('ann')
  })

  it.each(['secret://', 'secret://#k', 'secret://?key=k', 'ssm://', 'secretsmanager://#'])(
    'environment C2.7: %s is an error that names the variable',
    async (address) => {
      const [error] = await outcomes([value(address, loader(parameters), loader(secretsOfManager))])
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(String(error)).toContain('The variable "SHOP_A" names no secret behind')
    },
  )

  it.each([
    ['secret://x', 'parameterStore()'],
    ['ssm://x', 'parameterStore()'],
    ['secretsmanager://x', 'secretsManager()'],
  ])(
    'environment C2.8: %s without its store is an error that names the variable and %s',
    async (address, factory) => {
      const [error] = await outcomes([value(address)])
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(String(error)).toContain(
        `The variable "SHOP_A" is a secret (${address.split('x')[0]}), which needs ${factory}`,
      )
    },
  )

  it('environment C2.8: an error of the store names the variable, too, and stays of its kind', async () => {
    const [missing] = await outcomes([value('secret://none', loader(parameters))])
    expect(missing).toBeInstanceOf(SecretNotFoundError)
    expect(missing).toMatchObject({ path: '/none', cause: { name: 'SecretNotFoundError' } })
    expect(String(missing)).toContain('The variable "SHOP_A" needs a secret: Parameter Store has no "/none"')

    const [illegal] = await outcomes([value('secret://a b', loader(parameters))])
    expect(illegal).toBeInstanceOf(SecretError)
    expect(String(illegal)).toContain('The variable "SHOP_A" needs a secret: "/a b" is not a name')

    fakeClock()
    const gate = new Gate()
    aws.server.intercept = () => gate.wait()
    const reading = outcomes([value('secret://hung', loader(parameters))])
    await gate.arrivals(1)
    await vi.advanceTimersByTimeAsync(3000)
    const [late] = await reading
    expect(late).toBeInstanceOf(SecretTimeoutError)
    expect(String(late)).toContain(
      '"SHOP_A" needs a secret: Parameter Store did not give "/hung" within 3 sec',
    )
  })

  it.each([
    ['declared names', true],
    ['names asked for in one tick', false],
  ])('environment C2.9: many secrets are one batch: %s', async (_, isDeclared) => {
    const names = Array.from({ length: 8 }, (__, index) => `SHOP_${index}`)
    for (const name of names) parameters.put(`/${name}`, `value of ${name}`)
    const text = [...names, 'SHOP_LAZY'].map((name) => `${name}=secret://${name}`).join('\n')
    const variables = await open({ file: file(text), ...(isDeclared && { names }) }, [loader(parameters)])
    if (!isDeclared) expect(aws.server.calls, 'before anything is asked for').toEqual([])
    expect(await Promise.all(names.map((name) => variables.get(name)))).toEqual(
      names.map((name) => `value of ${name}`),
    )
    expect(aws.server.calls.map(({ input }) => namesOf(input).length)).toEqual([8])
  })

  it('environment C2.10: process.env never holds a secret', async () => {
    vi.stubEnv('SHOP_A', 'secret://x')
    parameters.put('/x', 'hunter2')
    const variables = await open({ file: file('SHOP_B=secret://x'), names: ['SHOP_A', 'SHOP_B'] }, [
      loader(parameters),
    ])
    expect([variables.values['SHOP_A'], await variables.get('SHOP_B')]).toEqual(['hunter2', 'hunter2'])
    expect(process.env['SHOP_A']).toBe('secret://x')
    expect(JSON.stringify(process.env)).not.toContain('hunter2')
  })

  it("environment C2.11: a secret's value is as old as its store's ttl allows, in get() and in values", async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    parameters.put('/x', 'old')
    const handler = middy()
      .use(invocation())
      .use(loader(parameters, { ttl: 60 }))
      .use(environment({ file: file('SHOP_A=secret://x'), names: ['SHOP_A'] }))
      .handler(async (_, { environment: variables }) => [
        variables.values.SHOP_A,
        await variables.get('SHOP_A'),
      ])
    expect(await invoke(handler, {})).toEqual(['old', 'old'])
    parameters.put('/x', 'new')
    vi.setSystemTime(Date.now() + 59_999)
    expect(await invoke(handler, {})).toEqual(['old', 'old'])
    vi.setSystemTime(Date.now() + 1)
    expect(await invoke(handler, {})).toEqual(['new', 'new'])
  })

  it('environment C2.12: what a secret holds is not an address, whatever it looks like', async () => {
    parameters.put('/x', 'secret://y')
    parameters.put('/y', 'hunter2')
    expect(await value('secret://x', loader(parameters))).toBe('secret://y')
    expect(aws.server.calls.flatMap(({ input }) => namesOf(input))).toEqual(['/x'])
  })

  it('works with secrets in memory', async () => {
    const handler = middy()
      .use(invocation())
      .use(memorySecrets({ '/x': 'hunter2' }))
      .use(environment({ file: false, overrides: { SHOP_A: 'secret://x' } }))
      .handler((_, { environment: variables }) => variables.get('SHOP_A'))
    expect(await invoke(handler, {})).toBe('hunter2')
  })
})

describe('a schema', () => {
  it.each([
    ['zod', z.object({ SHOP_A: z.enum(['a', 'b']) })],
    ['valibot', valibot.object({ SHOP_A: valibot.picklist(['a', 'b']) })],
    ['one that throws', z.object({ SHOP_A: z.string().transform((text) => JSON.parse(text) as unknown) })],
  ])('(%s) that refuses a value is the fault of no caller, and shows none', async (kind, schema) => {
    const logger = new RecordingLogger()
    const handler = middy()
      .use(httpApi({ logger }))
      .use(environment({ file: file('SHOP_A=hunter2'), names: ['SHOP_A'], schema }))
      .handler(() => 'reached')
    const response = await invoke<{ statusCode: number; body: string }>(handler, httpApiEvent())
    expect(response.statusCode).toBe(500)
    expect(response.body).not.toMatch(/hunter2|SHOP_A/)
    const error = logger.errors[0]?.details
    expect(error).toBeInstanceOf(InvalidEnvironmentError)
    expect(error).toBeInstanceOf(ValidationError)
    if (kind !== 'one that throws') expect(String(error)).toContain('The environment is not valid: SHOP_A')
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2')
  })
})
