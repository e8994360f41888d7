import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SFNClient } from '@aws-sdk/client-sfn'
import middy from '@middy/core'
import { ConfigurationError, NotFoundError, httpApi, invocation } from 'clearskies-middy'
import { taskToken } from 'clearskies-middy/middleware/task-token'
import { httpApiEvent, invoke } from 'clearskies-middy/testing'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { majors } from '../support/middy-majors.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

/** Step Functions' own wire, at which AWS's client talks: no emulator here knows task tokens without a state machine. */
const calls: { operation: string; input: Record<string, string> }[] = []
let refuse: (operation: string) => string | undefined
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const operation = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '')
    calls.push({ operation, input: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string> })
    const error = refuse(operation)
    response.writeHead(error === undefined ? 200 : 400, { 'content-type': 'application/x-amz-json-1.0' })
    response.end(error === undefined ? '{}' : JSON.stringify({ __type: error, message: 'no' }))
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const client = new SFNClient({
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
})
afterAll(() => {
  client.destroy()
  server.close()
})
beforeEach(() => {
  calls.length = 0
  refuse = () => undefined
})

const logger = new RecordingLogger()
const chainOf = (handler: () => unknown) =>
  middy().use(invocation()).use(taskToken({ client, logger })).handler(handler)
const payload = { taskToken: 'AQ==', order: 7 }

describe('taskToken()', () => {
  it('the value is the output, and what was sent heartbeats before', async () => {
    const chain = middy()
      .use(invocation())
      .use(taskToken({ client }))
      .handler(async ({ data }, { task }) => {
        await task.heartbeat()
        return { received: data }
      })
    expect(await invoke(chain, payload)).toEqual({ received: payload })
    expect(calls).toEqual([
      { operation: 'SendTaskHeartbeat', input: { taskToken: 'AQ==' } },
      {
        operation: 'SendTaskSuccess',
        input: { taskToken: 'AQ==', output: JSON.stringify({ received: payload }) },
      },
    ])
  })

  it('nothing is null', async () => {
    await invoke(
      chainOf(() => undefined),
      payload,
    )
    expect(calls[0]?.input['output']).toBe('null')
  })

  it.each([
    [() => new NotFoundError('no such order'), 'NotFoundError', 'no such order'],
    [() => new TypeError('x'.repeat(40_000)), 'TypeError', 'x'.repeat(32_768)],
  ])(
    'E91, E92: an error is the failure, by its name, cut to what Step Functions takes',
    async (make, error, cause) => {
      expect(
        await invoke(
          chainOf(() => {
            throw make()
          }),
          payload,
        ),
      ).toBeNull()
      expect(calls).toEqual([{ operation: 'SendTaskFailure', input: { taskToken: 'AQ==', error, cause } }])
    },
  )

  it.each<[string, () => unknown, string]>([
    ['a bigint', () => 1n, 'TypeError'],
    ['a function', () => () => 1, 'InvalidResponseError'],
    ['an error that is returned', () => new Error('x'), 'InvalidResponseError'],
  ])(
    'E92: %s is no output: the task fails, and does not wait until its time is up',
    async (_, handler, error) => {
      expect(await invoke(chainOf(handler), payload)).toBeNull()
      expect(calls).toMatchObject([{ operation: 'SendTaskFailure', input: { error } }])
    },
  )

  it.each(majors)(
    'E92: Middy %s: a value that a hook returns, early or late, is answered once',
    async (_, { middy }) => {
      const early = middy()
        .use(invocation())
        .use(taskToken({ client, logger }))
        .before(() => ({ early: true }))
        .handler(() => 'never')
      expect(await invoke(early, payload)).toEqual({ early: true })
      const late = middy()
        .use({ after: () => ({ late: true }) })
        .use(invocation())
        .use(taskToken({ client, logger }))
        .handler(() => 'done')
      await invoke(late, payload)
      expect(calls.map(({ operation, input }) => [operation, input['output']])).toEqual([
        ['SendTaskSuccess', '{"early":true}'],
        ['SendTaskSuccess', '"done"'],
      ])
    },
  )

  it('an output of more than 262,144 bytes is a failure', async () => {
    await invoke(
      chainOf(() => 'x'.repeat(262_143)),
      payload,
    )
    expect(calls).toMatchObject([{ operation: 'SendTaskFailure', input: { error: 'ResponseTooLargeError' } }])
  })

  it.each(['TaskTimedOut', 'InvalidToken', 'TaskDoesNotExist'])(
    'E92: %s means answered already: a warning',
    async (name) => {
      logger.warnings.length = 0
      refuse = () => name
      expect(
        await invoke(
          chainOf(() => 'done'),
          payload,
        ),
      ).toBe('done')
      expect(logger.warnings).toHaveLength(1)
    },
  )

  it('E92: an answer that could not be given fails the invocation, and nothing contradicts it', async () => {
    refuse = () => 'AccessDeniedException'
    await expect(
      invoke(
        chainOf(() => 'done'),
        payload,
      ),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' })
    expect(calls.map(({ operation }) => operation)).toEqual(['SendTaskSuccess'])
    calls.length = 0
    await expect(
      invoke(
        chainOf(() => {
          throw new Error('x')
        }),
        payload,
      ),
    ).rejects.toThrow()
    expect(calls.map(({ operation }) => operation)).toEqual(['SendTaskFailure'])
  })

  it('a payload without a token, and another source, are a ConfigurationError before the handler', async () => {
    let isCalled = false
    const chain = chainOf(() => (isCalled = true))
    for (const bad of [{}, null, 7, { taskToken: '' }, { taskToken: 7 }])
      await expect(invoke(chain, bad)).rejects.toThrow(ConfigurationError)
    const http = middy()
      .use(httpApi({ logger }))
      .use(taskToken({ client }))
      .handler(() => 1)
    expect(await invoke(http, httpApiEvent())).toMatchObject({ statusCode: 500 })
    expect([isCalled, calls]).toEqual([false, []])
  })

  it('the token stands where "from" says', async () => {
    const chain = middy()
      .use(invocation())
      .use(taskToken({ client, from: 'token' }))
      .handler(() => 1)
    await invoke(chain, { token: 'T' })
    expect(calls[0]?.input['taskToken']).toBe('T')
  })

  it('fifty tasks beside each other have their own tokens', async () => {
    const chain = middy()
      .use(invocation())
      .use(taskToken({ client }))
      .handler(async ({ data }) => {
        await new Promise(setImmediate)
        return (data as { n: number }).n
      })
    await Promise.all(Array.from({ length: 50 }, (_, n) => invoke(chain, { taskToken: `t${n}`, n })))
    expect(calls.every(({ input }) => input['taskToken'] === `t${input['output']}`)).toBe(true)
    expect(calls).toHaveLength(50)
  })
})
