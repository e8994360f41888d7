import { spawnSync } from 'node:child_process'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { sqsEvent } from 'clearskies-middy/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Project, command, onTerminal, start } from '../support/command-line.ts'
import { useSqs } from '../support/engines.ts'

const project = new Project()
afterAll(() => {
  project[Symbol.dispose]()
})

const handlers = project.write(
  'handlers.ts',
  `import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import { anyHttp, eachRecord, httpApi, invocation, sns, sqs, webSocket } from 'clearskies-middy'

interface Payload { readonly n?: number }
console.log('a line at the start')

export const handler = middy().use(anyHttp()).handler(async (request) => ({ source: request.source, path: request.path, data: request.data }))
export const direct = middy().use(invocation()).handler(async ({ data, lambdaContext }) => {
  process.stdout.write('written\\n')
  const { n = 0 } = (data ?? {}) as Payload
  if (n === 13) throw new RangeError('no thirteen')
  if (n === 99) await new Promise(() => setTimeout(() => undefined, 1e6))
  return { n, memory: lambdaContext.memoryLimitInMB, env: process.env['SHOP'] ?? null }
})
export const nothing = middy().use(invocation()).handler(() => undefined)
export const worker = middy().use(sqs()).handler(eachRecord(async ({ data }) => { if ((data as Payload).n === 13) throw new Error('x') }))
export const listener = middy().use(sns()).handler(eachRecord(({ data }) => void data))
export const socket = middy().use(webSocket()).handler(({ data }) => ({ received: data }))
export const streamed = middy({ executionMode: executionModeStreamifyResponse }).use(httpApi({ streaming: true })).handler(() => new Response('streamed'))
`,
)

describe('clearskies-middy invoke', () => {
  it('the result is JSON on the standard output, and all else on the standard error', async () => {
    const { code, stdout, stderr } = await command([
      'invoke',
      `${handlers}#direct`,
      '--data',
      '{"n":7}',
      '--memory',
      '512',
    ])
    expect([code, JSON.parse(stdout)]).toEqual([0, { n: 7, memory: '512', env: null }])
    expect(stderr).toMatch(/a line at the start\nwritten/)
  })

  it('an event of a source is made; the export is "handler" unless another is named', async () => {
    const made = await command([
      'invoke',
      handlers,
      '--source',
      'alb',
      '--path',
      '/p?q=1',
      '--data',
      '{"a":1}',
    ])
    const { body } = JSON.parse(made.stdout) as { body: string }
    expect(JSON.parse(body)).toEqual({ source: 'alb', path: '/p', data: { a: 1 } })
  })

  it.each(['--event', 'dash'])('a whole event comes from the standard input: %s', async (how) => {
    const event = JSON.stringify(sqsEvent([{ body: { n: 13 }, messageId: 'm-13' }, { body: { n: 1 } }]))
    const args = how === 'dash' ? ['-'] : ['--event', '-']
    const { code, stdout } = await command(['invoke', `${handlers}#worker`, ...args], event)
    expect([code, JSON.parse(stdout)]).toEqual([0, { batchItemFailures: [{ itemIdentifier: 'm-13' }] }])
  })

  it('a streamed response is collected, and nothing is null', async () => {
    const streamed = await command(['invoke', `${handlers}#streamed`, '--source', 'function-url'])
    expect(JSON.parse(streamed.stdout)).toMatchObject({ statusCode: 200, body: 'streamed' })
    expect((await command(['invoke', `${handlers}#nothing`])).stdout).toBe('null\n')
  })

  it('a failed invocation is the exit code 1, with the stack of the source, in TypeScript', async () => {
    const { code, stdout, stderr } = await command(['invoke', `${handlers}#direct`, '--data', '{"n":13}'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/RangeError: no thirteen\n\s+at .*handlers\.ts:12:/)
  })

  it('an invocation ends with its timeout', async () => {
    const { code, stderr } = await command([
      'invoke',
      `${handlers}#direct`,
      '--data',
      '{"n":99}',
      '--timeout',
      '0.2',
    ])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/timed out after 0\.2 seconds|TimeoutError/)])
  })

  it('environment variables of a file are there when the module is loaded', async () => {
    const file = project.write('.env.test', 'SHOP=ours\n')
    const { stdout } = await command(['invoke', `${handlers}#direct`, '--env-file', file])
    expect(JSON.parse(stdout)).toMatchObject({ env: 'ours' })
  })
})

describe('clearskies-middy event, inspect', () => {
  it('event prints what AWS would send, inspect tells what it is', async () => {
    const { stdout } = await command([
      'event',
      'rest-api',
      '--method',
      'put',
      '--path',
      '/a?b=1',
      '--data',
      '{"c":2}',
    ])
    expect(JSON.parse(stdout)).toMatchObject({ httpMethod: 'PUT', path: '/a', body: '{"c":2}' })
    const seen = JSON.parse((await command(['inspect'], stdout)).stdout) as object
    expect(seen).toMatchObject({
      source: 'REST API',
      normalizer: 'restApi()',
      request: { kind: 'http', method: 'PUT', path: '/a', query: [['b', '1']], data: { c: 2 } },
    })
  })

  it('inspect shows each record of a batch as its function gets it', async () => {
    const event = sqsEvent([{ body: { n: 1 }, messageId: 'm-1' }, { body: '{broken' }])
    const { stdout } = await command(['inspect', '-'], JSON.stringify(event))
    const { request } = JSON.parse(stdout) as { request: Record<string, unknown>[] }
    expect(request[0]).toMatchObject({ kind: 'sqs', data: { n: 1 }, messageId: 'm-1' })
    expect(request[1]?.['data']).toMatchObject({ error: expect.stringContaining('JSON') as string })
  })

  it('what no source sends is a direct invocation', async () => {
    expect(JSON.parse((await command(['inspect'], '[1]')).stdout)).toMatchObject({
      normalizer: 'invocation()',
      request: { data: [1] },
    })
  })
})

describe('clearskies-middy serve', () => {
  it.each([
    ['http-api', 'http-api'],
    ['node-http', 'node-http'],
    ['function-url', 'function-url'],
  ])('a handler answers real requests behind %s, and Ctrl-C ends it', async (source, name) => {
    const running = start(['serve', handlers, '--source', source, '--port', '0'])
    const [, url = ''] = await running.until(/(http:\/\/\S+)/)
    const response = await fetch(`${url}/a`, {
      method: 'POST',
      body: '{"b":1}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await response.json()).toEqual({ source: name, path: '/a', data: { b: 1 } })
    expect((await running.stop()).code).toBe(0)
  })

  it('a WebSocket handler has a gateway, too', async () => {
    const running = start(['serve', `${handlers}#socket`, '--source', 'web-socket', '--port', '0'])
    const [, url = ''] = await running.until(/(ws:\/\/\S+)/)
    const client = new WebSocket(url)
    const answer = await new Promise((resolve) => {
      client.once('open', () => {
        client.send('"hi"')
      })
      client.once('message', (data: Buffer) => {
        resolve(data.toString())
      })
    })
    expect(answer).toBe('{"received":"hi"}')
    client.close()
    await running.stop()
  })

  it('--watch starts again when a file has changed', async () => {
    const text = (word: string) =>
      `import middy from '@middy/core'\nimport { httpApi } from 'clearskies-middy'\nexport const handler = middy().use(httpApi()).handler(() => '${word}')\n`
    const file = project.write('watched.ts', text('before'))
    const running = start(['serve', file, '--watch', '--port', '0'])
    const [, first = ''] = await running.until(/(http:\/\/\S+)/)
    expect(await (await fetch(first)).text()).toBe('before')
    project.write('watched.ts', text('after'))
    const [, second = ''] = await running.until(/http:\/\/[\s\S]*(http:\/\/\S+)/)
    expect(await (await fetch(second)).text()).toBe('after')
    await running.stop()
  })

  it('on a terminal the lines have colours, elsewhere none', async () => {
    const terminal = onTerminal(['serve', handlers, '--port', '0'])
    const shown = await terminal.until(/(\u001b\[32m)?(http:\/\/[^\s\u001b]+)/)
    expect(shown[1]).toBe('\u001b[32m')
    await fetch(`${shown[2] ?? ''}/x`)
    await terminal.until(/GET \/x 200/)
    // As somebody types Ctrl-C: what runs on the terminal ends by itself.
    terminal.child.stdin?.write('\u0003')
    await terminal.ended
    const plain = start(['serve', handlers, '--port', '0'])
    await plain.until(/http:\/\/\S+/)
    expect((await plain.stop()).stderr).not.toContain('\u001b')
  })

  it('a port that is taken is one line', async () => {
    const running = start(['serve', handlers, '--port', '0'])
    const [, port = ''] = await running.until(/http:\/\/[\w.]+:(\d+)/)
    const second = await command(['serve', handlers, '--port', port])
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(`The port ${port} is taken`)])
    await running.stop()
  })
})

describe('clearskies-middy poll', () => {
  const sqs = useSqs()

  it.each([
    ['the messages of a queue', [], '#worker'],
    ['what SNS sends to a queue', ['--sns'], '#listener'],
  ])('works %s, and ends with its signal', async (_, options, name) => {
    const url = sqs.createQueue(`polled${options.join('')}`)
    const notification = {
      ...{ Type: 'Notification', MessageId: 'n1', TopicArn: 'arn:aws:sns:eu-central-1:000000000000:orders' },
      ...{ Message: '{"n":1}', UnsubscribeURL: 'https://sns.eu-central-1.amazonaws.com/?SubscriptionArn=a' },
    }
    for (const n of [1, 13]) {
      const MessageBody = JSON.stringify({ n, ...(n === 1 && options.length > 0 && notification) })
      await sqs.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody }))
    }
    const running = start(['poll', url, `${handlers}${name}`, '--batch-size', '1', ...options], {
      AWS_ENDPOINT_URL: sqs.server.address,
    })
    await running.until(/1 messages, done, \d+ ms/)
    await running.until(
      options.length === 0 ? /1 messages, 1 failed/ : /AWS: Message \S+ is no notification of SNS/,
    )
    expect((await running.stop()).code).toBe(0)
  })
})

describe('clearskies-middy: what is typed wrong', () => {
  it.each<[string[], number, RegExp]>([
    [['fly'], 2, /no command "fly"; there are serve, invoke/],
    [['invoke'], 2, /invoke needs MODULE/],
    [['invoke', 'missing.ts'], 1, /There is no file .*missing\.ts\n$/],
    [['invoke', `${handlers}#missing`], 1, /exports no function "missing": it exports .*direct/],
    [['invoke', handlers, '--source', 'fax'], 2, /no source "fax"; there are alb/],
    [['invoke', handlers, '--timeout', 'soon'], 2, /--timeout takes a number/],
    [['invoke', handlers, '--event', 'none.json'], 2, /There is no file none\.json/],
    [['serve', handlers, '--source', 'sqs'], 2, /serve has no source "sqs"/],
    [['serve', handlers, '--prot', '1'], 2, /Unknown option '--prot'.*serve --help/],
    [['event'], 2, /event needs SOURCE/],
    [['poll', 'orders', handlers], 2, /"orders" is not the URL of a queue or the ARN of a stream/],
    [['poll', 'arn:aws:dynamodb:eu-central-1:1:table/orders', handlers], 2, /is not .* the ARN of a stream/],
    [
      ['poll', 'arn:aws:kinesis:eu-central-1:1:stream/clicks', handlers, '--sns'],
      2,
      /--sns takes the URL of a/,
    ],
    [['inspect', handlers], 2, /is no JSON/],
  ])('%j is the exit code %d, and one line says what to do', async (args, code, message) => {
    const ended = await command(args)
    expect([ended.code, ended.stdout]).toEqual([code, ''])
    const told = ended.stderr.replace('a line at the start\n', '')
    expect(told).toMatch(message)
    expect(told.trim().split('\n')).toHaveLength(1)
  })

  it('an error in the module itself shows where', async () => {
    const file = project.write(
      'broken.ts',
      `const x: number = 1\nthrow new Error('at the start')\nexport { x }\n`,
    )
    const { code, stderr } = await command(['invoke', file])
    expect(code).toBe(1)
    expect(stderr).toMatch(/Error: at the start\n\s+at .*broken\.ts:2:7/)
  })

  it.each(['serve', 'invoke', 'poll', 'event', 'inspect'])('%s --help tells its options', async (name) => {
    const { code, stdout } = await command([name, '--help'])
    expect([code, stdout]).toEqual([0, expect.stringContaining(`Usage: clearskies-middy ${name}`)])
  })

  it('an old Node is told before anything is loaded', () => {
    const script = `Object.defineProperty(process.versions, 'node', { value: '20.1.0' }); await import('./src/cli/main.ts')`
    const ended = spawnSync(
      process.execPath,
      ['--conditions=clearskies-middy-source', '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    )
    expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('needs Node 22.12 or later')])
  })
})
