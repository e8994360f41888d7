import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'

const running = new Set<ReturnType<typeof spawn>>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** A script of the shop, in a process of its own, and its lines as they come. */
function run(script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ['--conditions=clearskies-middy-source', `examples/shop/${script}`, ...args],
    {
      env: { PATH: process.env['PATH'], ...env },
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
  it('opens a gateway per source, shows every invocation, and closes on Ctrl-C', async () => {
    const shop = run('start.ts')
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
    shop.child.kill('SIGINT')
    expect(await shop.exit).toBe(0)
    expect(shop.errors).toEqual([])
  })

  it('finishes a request that is under way when it is told to close', async () => {
    const shop = run('start.ts')
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
  })

  it('takes its ports from options and the environment, and says in one line that one is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    for (const shop of [
      run('start.ts', ['--alb-port', String(port)]),
      run('start.ts', [], { SHOP_REST_API_PORT: String(port) }),
    ]) {
      expect(await shop.exit).toBe(1)
      expect(shop.errors).toEqual([`Port ${port} is taken: choose another, or none for a free one`])
    }
    other.close()
    const wrong = run('start.ts', ['--alb-port', 'x'])
    expect([await wrong.exit, wrong.errors]).toEqual([
      1,
      ['--alb-port (or SHOP_ALB_PORT) takes a port, not x'],
    ])
  })

  it('uses the endpoints of the environment instead of embedded engines', async () => {
    const first = run('start.ts')
    const told = async (title: string): Promise<string> =>
      /embedded, (\S+)/.exec(await first.line(new RegExp(`^${title}: `)))?.[1] ?? ''
    const second = run('start.ts', [], {
      AWS_ENDPOINT_URL_DYNAMODB: await told('DynamoDB'),
      AWS_ENDPOINT_URL_SQS: await told('SQS'),
      AWS_ENDPOINT_URL: await told('Parameter Store'),
    })
    const url = /'(http[^?]*)/.exec(await second.line(/^REST API +curl/))?.[1] ?? ''
    expect(second.lines.slice(0, 3).join()).not.toContain('embedded')
    expect((await fetch(`${url}?author=${author}`)).status).toBe(200)
    for (const shop of [second, first]) {
      shop.child.kill('SIGTERM')
      expect(await shop.exit).toBe(0)
    }
  })
})

describe('npm run tour', () => {
  it('passes', { timeout: 120_000 }, async () => {
    const tour = run('tour.ts')
    expect(await tour.exit).toBe(0)
    expect(tour.lines.at(-1)).toMatch(/^\d+ checks, 0 failed$/)
  })
})
