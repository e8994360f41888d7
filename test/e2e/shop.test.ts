import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, type Server, createServer, request } from 'node:http'
import { type AddressInfo, type Server as TcpServer, createServer as createTcpServer } from 'node:net'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const running = new Set<ReturnType<typeof spawn>>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** A script of the shop, in a process of its own, and its lines as they come. */
function run(script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ['--conditions=clearskies-middy-source', `examples/shop/${script}`, ...args],
    {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  running.add(child)
  const lines: string[] = []
  const errors: string[] = []
  const waiting: { readonly pattern: RegExp; readonly resolve: (line: string) => void }[] = []
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve(line)
  })
  createInterface(child.stderr).on('line', (line) => errors.push(line))
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve) => {
      const found = lines.find((one) => pattern.test(one))
      if (found !== undefined) resolve(found)
      else waiting.push({ pattern, resolve })
    })
  const exit = once(child, 'close').then(([code]) => {
    running.delete(child)
    return code as number | null
  })
  return { child, lines, errors, line, exit }
}

const author = encodeURIComponent('Ursula K. Le Guin')

describe('npm start', () => {
  /** Every start takes seconds, so most tests visit this one. */
  let shop: ReturnType<typeof run>
  beforeAll(() => {
    shop = run('start.ts')
  })

  it(
    'X27: the shop opens in the shell of a developer with AWS_PROFILE and an empty AWS_REGION, and tells what it makes of them',
    { timeout: 120_000 },
    async () => {
      const started = run('start.ts', [], { AWS_PROFILE: 'corp', AWS_REGION: '', AWS_ENDPOINT_URL: '' })
      await started.line(/The shop is open/)
      started.child.kill('SIGTERM')
      expect(await started.exit).toBe(0)
      expect(started.errors).toEqual([])
      expect(started.lines).toEqual(
        expect.arrayContaining([
          'AWS_REGION is empty: eu-central-1 is used',
          'AWS_PROFILE=corp is not used: embedded engines take any credentials',
        ]),
      )
    },
  )

  /** A server on a port of its own, and its address. */
  async function listening(server: Server | TcpServer) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() }
  }

  it('X27: an endpoint at which nothing listens is named by its variable', async () => {
    const { url } = await listening(createServer()).then((server) => {
      server[Symbol.dispose]()
      return server
    })
    for (const variable of ['AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL']) {
      const started = run('start.ts', [], { [variable]: url })
      expect(await started.exit).toBe(1)
      expect(started.errors).toEqual([
        `Nothing listens at ${variable}=${url}: start that emulator, or unset the variable`,
      ])
    }
  })

  it('X27: an endpoint that never answers is told, and the shop does not wait for it', async () => {
    using silent = await listening(createTcpServer())
    const started = run('start.ts', [], { AWS_ENDPOINT_URL_SQS: silent.url })
    expect(await started.exit).toBe(1)
    expect(started.errors).toEqual([
      `No answer within 5 seconds from AWS_ENDPOINT_URL_SQS=${silent.url}: start that emulator, or unset the variable`,
    ])
  })

  it('X27: what answers at an endpoint without being AWS is told', async () => {
    using other = await listening(createServer((_, response) => response.end('It works!')))
    const started = run('start.ts', [], { AWS_ENDPOINT_URL: other.url })
    expect(await started.exit).toBe(1)
    expect(started.errors).toEqual([expect.stringContaining('answers otherwise than AWS')])
  })

  it('X27: a profile without credentials is named, where only given endpoints are used', async () => {
    using other = await listening(createServer((_, response) => response.end('{}')))
    const started = run('start.ts', [], {
      AWS_PROFILE: 'corp',
      AWS_ENDPOINT_URL: other.url,
      AWS_EC2_METADATA_DISABLED: 'true',
    })
    expect(await started.exit).toBe(1)
    expect(started.errors).toEqual([
      expect.stringMatching(/^No credentials from AWS_PROFILE=corp: sign in, or unset the variable/),
    ])
  })

  it.each<[Record<string, string>, RegExp]>([
    [
      { AWS_ENDPOINT_URL: 'localhost:4566' },
      /^AWS_ENDPOINT_URL=localhost:4566 is not an address: give one as/,
    ],
    [{ AWS_ENDPOINT_URL_SSM: 'fauxqs' }, /^AWS_ENDPOINT_URL_SSM=fauxqs is not an address/],
    [{ AWS_ENDPOINT_URL_SQS: 'http://nowhere.invalid' }, /(no such host.*|from) AWS_ENDPOINT_URL_SQS=http/],
    [{ db_endpoint: 'nowhere.invalid' }, /username is not known: set db_username/],
    [{ db_endpoint: 'nowhere.invalid', db_username: 'shop', db_database: 'shop' }, /nowhere\.invalid/],
  ])('X27: %o is one line that says what to do', async (env, message) => {
    const started = run(env['AWS_ENDPOINT_URL'] === undefined ? 'start.ts' : 'tour.ts', [], env)
    expect([await started.exit, started.errors]).toEqual([1, [expect.stringMatching(message)]])
  })

  it('--help tells the options, and a wrong one says where to look', async () => {
    const helped = run('start.ts', ['--help'])
    expect(await helped.exit).toBe(0)
    expect(helped.lines.join('\n')).toMatch(/Usage: npm start -- .*--http-api-port.*AWS_ENDPOINT_URL/s)
    const tour = run('tour.ts', ['-h'])
    expect([await tour.exit, tour.lines]).toEqual([0, [expect.stringContaining('visits all of it')]])
    for (const [arg, told] of [
      ['--prot', "Unknown option '--prot'"],
      ['nonsense', "Unexpected argument 'nonsense'"],
    ] as const) {
      const wrong = run('start.ts', [arg])
      expect([await wrong.exit, wrong.errors]).toEqual([1, [`${told}: see npm start -- --help`]])
    }
  })

  it('the shop opens a gateway per source and prints every invocation', async () => {
    for (const [title, source] of [
      ['ALB', 'alb'],
      ['REST API', 'rest-api'],
      ['HTTP API', 'http-api'],
    ] as const) {
      const url = /'(http.*)'/.exec(await shop.line(new RegExp(`^${title} +curl`)))?.[1] ?? ''
      const response = await fetch(url)
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ items: [{ title: 'A Wizard of Earthsea' }, {}, {}] })
      expect(await shop.line(new RegExp(`^${source} +GET /products\\S+ +200 +\\d+\\.\\d ms$`))).toBeTruthy()
    }
    const [, body = '', orders = ''] = /-d '(.*)' (http\S+)/.exec(await shop.line(/^Order +curl/)) ?? []
    const placed = await fetch(orders, { method: 'POST', body })
    expect(placed.status).toBe(202)
    expect(await shop.line(/^sqs +[\w-]{36} +worked +\d+\.\d ms$/)).toBeTruthy()
  })

  it('a shop with endpoints in its environment uses them instead of embedded engines', async () => {
    const told = async (title: string): Promise<string> =>
      /embedded, (\S+)/.exec(await shop.line(new RegExp(`^${title}: `)))?.[1] ?? ''
    const second = run('start.ts', [], {
      AWS_ENDPOINT_URL_DYNAMODB: await told('DynamoDB'),
      AWS_ENDPOINT_URL_SQS: await told('SQS'),
      AWS_ENDPOINT_URL: await told('Parameter Store'),
    })
    const url = /'(http[^?]*)/.exec(await second.line(/^REST API +curl/))?.[1] ?? ''
    expect(second.lines.slice(0, 3).join()).not.toContain('embedded')
    expect((await fetch(`${url}?author=${author}`)).status).toBe(200)
    second.child.kill('SIGTERM')
    expect(await second.exit).toBe(0)
  })

  it('the shop finishes a request that is under way at Ctrl-C, and closes', async () => {
    const url = /'(http[^?]*)/.exec(await shop.line(/^ALB +curl/))?.[1] ?? ''
    await shop.line(/Ctrl-C/)
    const placing = request(url, { method: 'POST', headers: { expect: '100-continue' } })
    placing.flushHeaders()
    await once(placing, 'continue') // The server has it, and waits for the body.
    shop.child.kill('SIGINT')
    await shop.line(/^Closing/)
    placing.end('{"author":"Lem","title":"Solaris","price":1}')
    const [response] = (await once(placing, 'response')) as [IncomingMessage]
    expect([response.statusCode, await json(response)]).toEqual([
      200,
      { author: 'Lem', title: 'Solaris', price: 1 },
    ])
    expect(await shop.exit).toBe(0)
    expect(shop.errors).toEqual([])
  })

  it('a port comes from an option or the environment; the message of a taken one is one line', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    for (const refused of [
      run('start.ts', ['--alb-port', String(port)]),
      run('start.ts', [], { SHOP_REST_API_PORT: String(port) }),
    ]) {
      expect(await refused.exit).toBe(1)
      expect(refused.errors).toEqual([`Port ${port} is taken: choose another, or none for a free one`])
    }
    other.close()
    const wrong = run('start.ts', ['--alb-port', 'x'])
    expect([await wrong.exit, wrong.errors]).toEqual([
      1,
      ['--alb-port (or SHOP_ALB_PORT) takes a port, not x'],
    ])
  })
})

describe('npm run tour', () => {
  it('passes', { timeout: 120_000 }, async () => {
    const tour = run('tour.ts')
    expect(await tour.exit).toBe(0)
    expect(tour.lines.at(-1)).toMatch(/^\d+ checks, 0 failed$/)
  })
})
