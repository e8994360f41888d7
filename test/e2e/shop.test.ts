import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
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
  /** Every start takes seconds, so most tests visit this one. */
  let shop: ReturnType<typeof run>
  beforeAll(() => {
    shop = run('start.ts')
  })

  it('X27: the shop opens in the shell of a developer with AWS_PROFILE and an empty AWS_REGION', async () => {
    const started = run('start.ts', [], { AWS_PROFILE: 'corp', AWS_REGION: '' })
    await started.line(/The shop is open/)
    started.child.kill('SIGTERM')
    expect(await started.exit).toBe(0)
    expect(started.errors).toEqual([])
  })

  it('X27: an endpoint at which nothing listens is named by its variable', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.close()
    await once(server, 'close')
    const started = run('start.ts', [], { AWS_ENDPOINT_URL_DYNAMODB: endpoint })
    expect(await started.exit).toBe(1)
    expect(started.errors.join('\n')).toContain(`Nothing listens at AWS_ENDPOINT_URL_DYNAMODB=${endpoint}`)
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
