// The command line as somebody uses it who has not read its page.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { Typed } from '../../src/cli/command.ts'
import { normalizers } from '../../src/cli/normalizers.ts'
import { describedEvent, sourceNames } from '../../src/cli/sources.ts'
import { eventKind } from '../../src/events/event-kind.ts'
import { type EventSource, eventSources } from '../../src/events/event-sources.ts'
import { Project, command, onTerminal, start } from '../support/command-line.ts'
import { runs } from '../support/runs.ts'

const project = new Project()
afterAll(() => {
  project[Symbol.dispose]()
})

const source = `import middy from '@middy/core'
import { anyHttp, dynamodbStream, eachRecord, eventBridge, firehose, invocation, kafka, kinesis, logs, s3, sns, sqs, webSocket } from 'clearskies-middy'

const records = (normalizer: any) => (middy as any)().use(normalizer()).handler(eachRecord(async ({ kind }) => console.error('record of ' + kind)))
const whole = (normalizer: any) => (middy as any)().use(normalizer()).handler((request: any) => ({ kind: request.kind }))
const http = whole(anyHttp)
export const handlers: Record<string, unknown> = {
  sqs: records(sqs), sns: records(sns), s3: records(s3), kinesis: records(kinesis), kafka: records(kafka),
  'dynamodb-stream': records(dynamodbStream), firehose: records(firehose), logs: records(logs),
  'event-bridge': whole(eventBridge), scheduled: whole(eventBridge), 'web-socket': whole(webSocket), invocation: whole(invocation),
}
export const handler = handlers[process.env['SOURCE'] ?? ''] ?? http
export const loop = middy().use(invocation()).handler(() => { for (;;); })
export const exits = middy().use(invocation()).handler(() => process.exit(7))
export const waits = middy().use(invocation()).handler(() => new Promise(() => setTimeout(() => console.error('never'), 1e6)))
`
const handlers = project.write('handlers.ts', source)

/** Each takes three processes. */
const step = Math.ceil(sourceNames.length / runs(sourceNames.length))

describe('clearskies-middy: every source', () => {
  const wanted = new Set(Object.values(eventSources).flatMap(({ normalizer }) => normalizer ?? []))
  // Node's own server has no events.
  wanted.delete('nodeHttp')

  it('has a line in src/cli/normalizers.ts', () => {
    expect([...wanted].filter((name) => !Object.hasOwn(normalizers, name))).toEqual([])
  })

  it('has a line in src/cli/sources.ts, which makes its event', () => {
    const made = new Set(
      sourceNames.map((name) => {
        const kind = eventKind(describedEvent(name, new Typed([], {})))
        return new Map<string, EventSource>(Object.entries(eventSources)).get(kind)?.normalizer
      }),
    )
    expect([...wanted].filter((name) => !made.has(name))).toEqual([])
  })

  it.each(sourceNames.filter((_, index) => index % step === 0))(
    'the event of %s is taken by invoke, and explained by inspect',
    async (name) => {
      const event = await command(['event', name, '--data', '{"id":"7"}'])
      expect([event.code, event.stderr]).toEqual([0, ''])
      const [invoked, inspected] = await Promise.all([
        command(['invoke', handlers, '-'], event.stdout, { SOURCE: name }),
        command(['inspect'], event.stdout),
      ])
      expect([invoked.code, invoked.stderr]).toEqual([0, expect.stringMatching(/^$|record of/)])
      expect(JSON.parse(invoked.stdout)).not.toMatchObject({ statusCode: 500 })
      expect([inspected.code, inspected.stderr]).toEqual([0, ''])
      const told = JSON.parse(inspected.stdout) as { source: string; normalizer: string; request: object }
      expect(told).toMatchObject({ normalizer: expect.stringMatching(/^\w+\(\)$/) as string })
      expect(JSON.stringify(told.request)).not.toContain('"error"')
    },
  )
})

describe('clearskies-middy: handlers that do not answer', () => {
  it('a handler that never lets go of the processor is ended with its timeout', async () => {
    const { code, stdout, stderr } = await command(['invoke', `${handlers}#loop`, '--timeout', '0.2'])
    expect([code, stdout, stderr]).toEqual([1, '', 'Task timed out after 0.2 seconds\n'])
  })

  it('a handler that ends its process is told', async () => {
    const { code, stdout, stderr } = await command(['invoke', `${handlers}#exits`])
    expect([code, stdout, stderr]).toEqual([
      7,
      '',
      'The process of the handler ended (7) before there was a result\n',
    ])
  })

  it('a module that never finishes loading is told', async () => {
    const file = project.write('waits.mjs', 'await new Promise(() => {})\nexport const handler = () => 1\n')
    for (const name of ['invoke', 'serve']) {
      const { code, stderr } = await command([name, file, '--timeout', '0.3'])
      expect([code, stderr]).toEqual([
        1,
        `${file} has not finished loading after 0.3 seconds: an await outside of its functions waits\n`,
      ])
    }
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends an invocation that waits, and its process',
    async (signal) => {
      const file = project.write(
        `${signal}.mjs`,
        `export const handler = () => { console.log('pid', process.pid); return new Promise((done) => setTimeout(done, 1e6)) }\n`,
      )
      const running = start(['invoke', file])
      const [, pid = ''] = await running.until(/pid (\d+)/)
      const { code, stdout, stderr } = await running.stop(signal)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain(`ended (${signal}) before there was a result`)
      expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/)
    },
  )
})

describe('clearskies-middy: paths and names', () => {
  it('a path may have spaces and signs of addresses', async () => {
    mkdirSync(join(project.directory, 'a folder #1'))
    const file = project.write('a folder #1/my handler 100%.mjs', 'export const handler = (event) => event\n')
    const { code, stdout } = await command(['invoke', `${file}#handler`, '--data', '[7]'])
    expect([code, JSON.parse(stdout)]).toEqual([0, [7]])
  })

  it('names that CommonJS exports without Node seeing them are found', async () => {
    const file = project.write(
      'hidden.cjs',
      `const all = { ['hand' + 'ler']: (event) => event }\nmodule.exports = all\n`,
    )
    const { code, stdout } = await command(['invoke', file, '--data', '8'])
    expect([code, stdout]).toEqual([0, '8\n'])
  })

  it.each<[string, string, string[], number, RegExp]>([
    ['a folder', '', ['invoke', '.'], 1, /is a folder: name the file of the handler in it/],
    ['a file of another kind', 'notes.txt', ['invoke', 'FILE'], 1, /Node does not run .*notes\.txt/],
    [
      'a default export',
      'default.mjs',
      ['invoke', 'FILE'],
      1,
      /it exports default; name one as .*default\.mjs#default/,
    ],
    ['an empty event', 'empty.json', ['inspect', 'FILE'], 2, /empty\.json is empty: an event is JSON/],
    ['a folder as an event', '', ['inspect', '.'], 2, /\. cannot be read as a file/],
    [
      'a port too high',
      '',
      ['serve', handlers, '--port', '99999'],
      2,
      /--port takes a number from 0 to 65535/,
    ],
    ['half a port', '', ['serve', handlers, '--port', '1.5'], 2, /--port takes a whole number/],
    [
      'a negative timeout',
      '',
      ['invoke', handlers, '--timeout', '-1'],
      2,
      /'--timeout' argument is ambiguous/,
    ],
    ['a timeout that Lambda has not', '', ['serve', handlers, '--timeout', '901'], 2, /from 0\.001 to 900/],
    [
      'no method',
      '',
      ['event', 'alb', '--method', 'GET /'],
      2,
      /--method takes a method as GET, and not "GET \/"/,
    ],
  ])('%s is one line that says what to do', async (_, name, args, code, message) => {
    const content = name === 'default.mjs' ? 'export default () => 1\n' : ''
    const file = name === '' ? '' : project.write(name, content)
    const ended = await command(args.map((arg) => (arg === 'FILE' ? file : arg)))
    expect([ended.code, ended.stdout, ended.stderr.trim().split('\n').length]).toEqual([code, '', 1])
    expect(ended.stderr).toMatch(message)
  })

  it('a handler behind a source that is invoked without one is told how', async () => {
    const { code, stderr } = await command(['invoke', handlers])
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/InvalidEventError.*\nWithout --source the event is/s),
    ])
  })

  it('--version, help COMMAND', async () => {
    expect((await command(['--version'])).stdout).toBe(`${packageJson.version}\n`)
    const helped = await command(['help', 'poll'])
    expect([helped.code, helped.stdout]).toEqual([0, (await command(['poll', '--help'])).stdout])
  })

  it('inspect on a terminal says that it waits for the event', async () => {
    const terminal = onTerminal(['inspect'])
    await terminal.until(/Reading the event from the terminal: Ctrl-D ends it/)
    terminal.child.stdin?.write('[7]\n\u0004')
    await terminal.until(/"normalizer": "invocation\(\)"/)
    await terminal.ended
  })
})

describe('clearskies-middy poll', () => {
  it('without a region it ends with one line', async () => {
    const file = project.write('worker.mjs', 'export const handler = () => undefined\n')
    const { code, stderr } = await command(['poll', 'http://127.0.0.1:1/000/q', file], '', { AWS_REGION: '' })
    expect([code, stderr.trim().split('\n').slice(1)]).toEqual([
      1,
      [expect.stringContaining('No AWS region is set: give AWS_REGION')],
    ])
  })
})

describe('clearskies-middy serve', () => {
  it('two servers run beside each other, each with its own handler', async () => {
    const files = ['one', 'two'].map((word) =>
      project.write(`${word}.mjs`, `export const handler = () => ({ statusCode: 200, body: '${word}' })\n`),
    )
    const running = files.map((file) => start(['serve', file, '--port', '0']))
    const texts = running.map(async (server) => {
      const [url = ''] = await server.until(/http:\/\/[\w.]+:\d+/)
      return (await fetch(url)).text()
    })
    expect(await Promise.all(texts)).toEqual(['one', 'two'])
    const ends = await Promise.all(running.map((server) => server.stop()))
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
  })
})
