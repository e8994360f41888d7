// What newcomers do wrong, and what they are told: each message says what was seen, and what to do.
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import {
  MemoryBackend,
  backends,
  eachRecord,
  httpApi,
  invocation,
  model,
  respond,
  sqs,
  validate,
} from 'clearskies-middy'
import { jsonBody } from 'clearskies-middy/middleware/json-body'
import { alb } from 'clearskies-middy/normalizers/alb'
import {
  type AnyHandler,
  type PollInvocation,
  albEvent,
  httpApiEvent,
  invoke,
  poll,
  restApiEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { AwsError } from '../../examples/shop/local/aws-stand-in.ts'
import { useAwsStandIn, useSqs } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { runScript, startScript } from '../support/run-script.ts'

const readme = readFileSync('README.md', 'utf8')
const Title = z.object({ title: z.string() })
const event = httpApiEvent({ path: '/books?page=1', body: { title: 'Solaris' } })

/** What a middleware needs to be tried at a wrong place. */
type AnyMiddleware = middy.MiddlewareObj

function chain(handler: unknown, ...middlewares: readonly object[]): AnyHandler {
  return middy()
    .use(middlewares as AnyMiddleware[])
    .handler(handler as AnyHandler)
}

/** The message of the first error that a normalizer has logged: who calls from outside is told nothing. */
async function loggedBy(run: (logger: RecordingLogger) => Promise<unknown>): Promise<string> {
  const logger = new RecordingLogger()
  await run(logger)
  const { details } = logger.errors[0] ?? {}
  return `${(details as Error).name}: ${(details as Error).message}`
}

describe('1. no normalizer', () => {
  it('validate() names the event and the normalizer that is missing, and does not blame the caller', async () => {
    for (const [schemas, raw, name, normalizer] of [
      [{ data: Title }, event, 'HTTP API', 'httpApi()'],
      [{ query: Title }, restApiEvent(), 'REST API', 'restApi()'],
      [{ headers: z.object({}) }, albEvent(), 'ALB', 'alb()'],
      [{ data: Title }, sqsEvent([{ body: 1 }]), 'aws:sqs', 'sqs()'],
      [{ data: Title }, { title: 'Solaris' }, 'direct', 'invocation()'],
    ] as const) {
      await expect(
        invoke(
          chain(() => 'never', validate(schemas)),
          raw,
        ),
      ).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: `validate() needs a normalizer, and got a raw "${name}" event: put .use(${normalizer}) in front`,
      })
    }
  })

  it('jsonBody() names the event', async () => {
    await expect(
      invoke(
        chain(() => 'never', jsonBody()),
        event,
      ),
    ).rejects.toThrow(
      'jsonBody() needs an HTTP normalizer in front, as httpApi(), and got a raw "HTTP API" event',
    )
  })

  it('eachRecord() names the event, and what it needs', async () => {
    const worker = chain(eachRecord(() => 'never'))
    await expect(invoke(worker, sqsEvent([{ body: 1 }]))).rejects.toThrow(
      'eachRecord() needs .use(sqs()) in front, and got a raw "aws:sqs" event',
    )
  })

  it('a part of the request that its source does not have is named', async () => {
    await expect(
      invoke(
        chain(() => 'never', invocation(), validate({ query: Title })),
        {},
      ),
    ).rejects.toThrow('validate(): a request of "invocation" has no "query"')
  })

  it('validate() between sqs() and eachRecord() is told where it belongs', async () => {
    const message = await loggedBy((logger) =>
      invoke(
        chain(
          eachRecord(() => 'never'),
          sqs({ logger }),
          validate({ data: Title }),
        ),
        sqsEvent([{ body: 1 }]),
      ),
    )
    expect(message).toContain('it belongs to each record, eachRecord(middy(fn).use(validate(…)))')
  })
})

describe('2. a normalizer that is not the first', () => {
  it.each([
    ['validate()', validate({ data: Title }), 'put .use(httpApi()) in front'],
    ['jsonBody()', jsonBody(), 'needs an HTTP normalizer in front'],
  ])('%s in front of it is a 500 that is logged with what to do', async (_, middleware, advice) => {
    const message = await loggedBy(async (logger) => {
      const response = await invoke(
        chain(() => 'never', middleware, httpApi({ logger })),
        event,
      )
      expect(response).toMatchObject({ statusCode: 500 })
    })
    expect(message).toContain(advice)
  })

  it('backends() in front of it works: it looks at no event', async () => {
    const books = new MemoryBackend(model({ name: 'books', key: ['title'], schema: Title }))
    const handler = middy()
      .use(backends({ books }))
      .use(httpApi())
      .handler(({ data }, context) => context.backends.books.create(data as { title: string }))
    expect(await invoke(handler, event)).toMatchObject({ statusCode: 200, body: '{"title":"Solaris"}' })
  })
})

describe('3. two normalizers, or another one than the source has', () => {
  it('the wrong one names what it got, what it takes and the right one', async () => {
    await expect(
      invoke(
        chain(() => 'never', alb()),
        event,
      ),
    ).rejects.toThrow(
      'alb() takes ALB and got "HTTP API": use the normalizer of that source, httpApi(), and only one',
    )
  })

  it.each([
    ['the same twice', (logger: RecordingLogger) => httpApi({ logger })],
    ['another', (logger: RecordingLogger) => alb({ logger })],
    ['invocation()', () => invocation()],
    ['sqs()', (logger: RecordingLogger) => sqs({ logger })],
  ])('%s behind a normalizer is told that one is enough', async (_, second) => {
    const told: unknown[] = []
    const logger = new RecordingLogger()
    // To a queue no answer is right, so that the invocation fails.
    await invoke(
      chain(() => 'never', httpApi({ logger }), second(logger)),
      event,
    ).catch((error: unknown) => told.push(error))
    told.push(...logger.errors.map(({ details }) => details))
    expect((told[0] as Error).message).toContain(
      'got "normalized": a normalizer stands in front of it already, and one is enough',
    )
  })
})

describe('4. a mapping without ReportBatchItemFailures', () => {
  const queues = useSqs()

  it('deletes what failed, which no event tells; the log does, and the testing kit shows it', async () => {
    const queueUrl = queues.createQueue('unreported')
    await queues.client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: '"poison"' }))
    const logger = new RecordingLogger()
    const worker = chain(
      eachRecord(() => {
        throw new Error('Not now')
      }),
      sqs({ logger }),
    )
    const { promise, resolve } = Promise.withResolvers<PollInvocation>()
    const options = { client: queues.client, reportBatchItemFailures: false, onInvocation: resolve }
    await using _poller = poll(queueUrl, worker, options)
    expect((await promise).failed).toEqual([])
    expect(logger.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Record \S+ failed$/),
    ])
    expect(readme).toContain('The event source mapping must have `ReportBatchItemFailures`')
  })

  it('a handler that gives no results is told what to give', async () => {
    const message = await loggedBy((logger) =>
      invoke(
        chain(() => ({ fine: true }), sqs({ logger })),
        sqsEvent([{ body: 1 }]),
      ),
    )
    expect(message).toContain('give .handler(eachRecord(…)), or return { batchItemFailures }')
  })
})

describe('5. a package that is not installed', () => {
  const without = (name: string, script: string): string => `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier === '${name}') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
        return next(specifier, context)
      },
    })
    ${script}`

  it.each([
    [
      '@aws-sdk/client-dynamodb',
      `const { DynamoDbBackend } = await import('clearskies-middy/backends/dynamodb')
       const { model } = await import('clearskies-middy')
       const { z } = await import('zod')
       await new DynamoDbBackend(model({ name: 'x', key: ['id'], schema: z.object({ id: z.string() }) })).find({ id: '1' })`,
    ],
    [
      '@aws-sdk/client-ssm',
      `const { parameterStore } = await import('clearskies-middy/middleware/parameter-store')
       const context = {}
       await parameterStore().before({ context })
       await context.secrets.get('/shop/key')`,
    ],
    [
      'pg',
      `const { iamDbAuth } = await import('clearskies-middy/middleware/iam-db-auth')
       const settings = { endpoint: 'db.example.com', username: 'shop', database: 'shop' }
       await iamDbAuth({ engine: 'postgres', ...settings }).before({ context: {} })`,
    ],
  ])('%s is named when it is needed, with the command that installs it', (name, script) => {
    const { stderr } = runScript(without(name, script), { AWS_REGION: 'eu-central-1' })
    expect(stderr).toContain(
      `This needs the package ${name}, which is not installed: run "npm install ${name}"`,
    )
  })

  it('a database of one kind is bundled without the drivers and signers of others', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'newcomer-'))
    try {
      // Away from this project, where all of them are installed.
      cpSync('src', join(directory, 'src'), { recursive: true })
      const outfile = join(directory, 'handler.mjs')
      const entryPoints = [join(directory, 'src/middleware/iam-db-auth.ts')]
      const { warnings } = await build({
        entryPoints,
        outfile,
        bundle: true,
        platform: 'node',
        format: 'esm',
      })
      expect(warnings).toEqual([])
      const settings = { engine: 'mysql', endpoint: 'db.example.com', username: 'shop', database: 'shop' }
      writeFileSync(
        join(directory, 'run.mjs'),
        `import { iamDbAuth } from './handler.mjs'
         await iamDbAuth(${JSON.stringify(settings)}).before({ context: {} })`,
      )
      const { stderr } = spawnSync(process.execPath, [join(directory, 'run.mjs')], {
        encoding: 'utf8',
        env: { AWS_REGION: 'eu-central-1' },
      })
      expect(stderr).toContain('run "npm install @aws-sdk/rds-signer"')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('6. a subpath that there is not', () => {
  it.each(['dist/index.js', 'parameter-store', 'normalizers/http/path'])(
    'clearskies-middy/%s is named by Node, with the manifest that lists what there is',
    (subpath) => {
      const { stderr } = runScript(`await import('clearskies-middy/${subpath}')`)
      expect(stderr).toContain(`Package subpath './${subpath}' is not defined by "exports" in`)
      expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
    },
  )

  it.each(['normalizers/httpApi', 'normalizers/alb.js'])(
    'clearskies-middy/%s is named by Node, with the file that is not there',
    (subpath) => {
      const { stderr } = runScript(`await import('clearskies-middy/${subpath}')`)
      expect(stderr).toMatch(/ERR_MODULE_NOT_FOUND.*normalizers/s)
    },
  )
})

describe('7. no region', () => {
  it.each([
    [
      'Parameter Store',
      `import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
       const context = {}
       await parameterStore().before({ context })
       await context.secrets.get('/shop/key')`,
    ],
    [
      'DynamoDB',
      `import { model } from 'clearskies-middy'
       import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
       import { z } from 'zod'
       await new DynamoDbBackend(model({ name: 'x', key: ['id'], schema: z.object({ id: z.string() }) })).find({ id: '1' })`,
    ],
    [
      'SQS',
      `import { model } from 'clearskies-middy'
       import { SqsBackend } from 'clearskies-middy/backends/sqs'
       import { z } from 'zod'
       const name = 'http://127.0.0.1:9/000000000000/orders'
       await new SqsBackend(model({ name, schema: z.object({ id: z.string() }) })).create({ id: '1' })`,
    ],
  ])('%s says that none is set, and where to set it', (_, script) => {
    const { stderr } = runScript(script, { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' })
    expect(stderr).toContain('No AWS region is set: give AWS_REGION in the environment or in .env')
  })
})

describe('8. no permission', () => {
  const aws = useAwsStandIn()
  const who = 'User: arn:aws:sts::123456789012:assumed-role/shop/shop'

  it.each([
    [
      'ssm:GetParameters',
      `import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
       const context = {}
       await parameterStore().before({ context })
       const run = () => context.secrets.get('/shop/key')`,
    ],
    [
      'dynamodb:GetItem',
      `import { model } from 'clearskies-middy'
       import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
       import { z } from 'zod'
       const books = new DynamoDbBackend(model({ name: 'x', key: ['id'], schema: z.object({ id: z.string() }) }))
       const run = () => books.find({ id: '1' })`,
    ],
    [
      'sqs:sendmessage',
      `import { model } from 'clearskies-middy'
       import { SqsBackend } from 'clearskies-middy/backends/sqs'
       import { z } from 'zod'
       const name = process.env.AWS_ENDPOINT_URL + '/000000000000/orders'
       const orders = new SqsBackend(model({ name, schema: z.object({ id: z.string() }) }))
       const run = () => orders.create({ id: '1' })`,
    ],
  ])('what is logged names %s, and who may not', async (action, script) => {
    aws.server.intercept = () => {
      throw new AwsError(
        'AccessDeniedException',
        `${who} is not authorized to perform: ${action} on resource: x`,
      )
    }
    const logged = await shown(script)
    expect(logged).toContain('AccessDenied')
    expect(logged).toContain(`${who} is not authorized to perform: ${action}`)
  })

  /** What Lambda's log has of an error, with its causes. */
  async function shown(script: string): Promise<string> {
    const whole = `${script}\nawait run().catch((error) => { console.log(error) })`
    const child = startScript(whole, {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL: aws.server.url,
    })
    let text = ''
    for await (const chunk of child.stdout) text += String(chunk)
    return text
  }
})

describe('9. returning from a middleware', () => {
  const refused = () => respond({ error: 'Who are you?' }, { status: 401 })

  it.each([
    ['returns', refused],
    [
      'throws',
      () => {
        throw refused()
      },
    ],
  ])('behind HTTP what a hook %s as a response leaves in the form of the source', async (_, before) => {
    expect(
      await invoke(
        chain(() => 'never', alb(), { before }),
        albEvent(),
      ),
    ).toMatchObject({
      statusCode: 401,
      statusDescription: '401 Unauthorized',
      body: '{"error":"Who are you?"}',
    })
  })

  it('on a queue no record is taken for done, and the log says what a hook must do', async () => {
    const fn = vi.fn()
    const message = await loggedBy(async (logger) => {
      const worker = chain(eachRecord(fn), sqs({ logger }), { before: () => ({ fine: true }) })
      expect(await invoke(worker, sqsEvent([{ body: 1, messageId: 'a' }]))).toEqual({
        batchItemFailures: [{ itemIdentifier: 'a' }],
      })
    })
    expect(message).toContain('a hook must return nothing, and may throw')
    expect(fn).not.toHaveBeenCalled()
  })
})

describe('10. CommonJS', () => {
  const run = (script: string, ...flags: readonly string[]) =>
    spawnSync(
      process.execPath,
      [
        '--conditions=clearskies-middy-source',
        '--disable-warning=ExperimentalWarning',
        ...flags,
        '-e',
        script,
      ],
      { encoding: 'utf8' },
    )

  it('requires the package', () => {
    const { stdout, stderr } = run("console.log(typeof require('clearskies-middy').httpApi)")
    expect([stdout.trim(), stderr]).toEqual(['function', ''])
  })

  it('imports Middy 7, which lets itself be imported only', () => {
    const { stderr } = run("require('@middy/core')")
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
    const { stdout } = run("import('@middy/core').then(({ default: middy }) => console.log(typeof middy))")
    expect(stdout.trim()).toBe('function')
    expect(readme).toContain("await import('@middy/core')")
  })

  it('on an older Node is told ERR_REQUIRE_ESM, which the README explains', () => {
    const { stderr } = run("require('clearskies-middy')", '--no-experimental-require-module')
    expect(stderr).toContain('ERR_REQUIRE_ESM')
    expect(readme).toContain('ERR_REQUIRE_ESM')
  })
})
