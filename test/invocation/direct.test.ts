// What a caller of a function learns, and whose records are taken as a bare list.
import middy from '@middy/core'
import { InvalidEventError } from 'clearskies-middy/errors'
import { validate } from 'clearskies-middy/middleware/validate'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { respond } from 'clearskies-middy/normalizers/respond'
import { sns } from 'clearskies-middy/normalizers/sns'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, lambdaContext, snsEvent, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'
import { cores } from '../support/gated-queue.ts'
import { abc, failing, fifoArn, listed } from '../support/sqs-work.ts'

describe.each(cores)('on %s', (_, core) => {
  it('R22: a validation error names the fields, and no value', async () => {
    const data = z.object({ price: z.number(), lines: z.array(z.object({ sku: z.string() })) })
    const handler = core()
      .use(invocation())
      .use(validate({ data }))
      .handler((() => 1) as never)
    const error = (await invoke(handler, { price: 'hunter2', lines: [{ sku: 7 }] }).catch(
      (thrown: unknown) => thrown,
    )) as Error
    expect(error.message).toBe('The request is not valid: data.price, data.lines.0.sku')
  })

  it.each([
    [respond({ secret: 'hunter2' }, { status: 404 }), 404],
    [{ statusCode: 409, body: 'hunter2' }, 409],
    [new Response('hunter2', { status: 503 }), 503],
  ])('R22: a response that is thrown is an error with its status', async (response, status) => {
    const handler = core()
      .use(invocation())
      .handler(() => {
        throw response
      })
    const error = (await invoke(handler, {}).catch((thrown: unknown) => thrown)) as Error
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'HttpError',
      message: `The handler threw a response with the status ${status}`,
      cause: response,
    })
    const topic = core()
      .use(sns())
      .handler(
        eachRecord(() => {
          throw response
        }) as never,
      )
    await expect(invoke(topic, snsEvent([{ message: 'x' }]))).rejects.toThrow(error.message)
  })

  it('R22: an error stays the error that it is', async () => {
    const error = Object.assign(new Error('Mine'), { statusCode: 404 })
    const handler = core()
      .use(invocation())
      .handler(() => {
        throw error
      })
    await expect(invoke(handler, {})).rejects.toBe(error)
  })

  it('R22: a payload may have any keys, those of a request included', async () => {
    const handler = core()
      .use(invocation())
      .handler((({ data }: { data: unknown }) => data) as never)
    for (const payload of [
      { lambdaContext: {}, raw: 1 },
      { kind: 'sqs', source: 'sqs', lambdaContext: { a: 1 }, raw: null, data: 7 },
      JSON.parse('{"lambdaContext":1,"raw":{},"__proto__":{"n":[1,{"m":2}]}}'),
    ])
      expect(await invoke(handler, payload)).toEqual(payload)
    await expect(
      invoke(
        core()
          .use(invocation())
          .use(invocation())
          .handler(() => 1),
        {},
      ),
    ).rejects.toThrow(InvalidEventError)
  })

  it('R22: what a handler changes in the data is not changed in what was sent', async () => {
    let raw: unknown
    const handler = core()
      .use(invocation())
      .handler(((request: { data: { list: unknown[]; deep: { n: number } }; raw: unknown }) => {
        request.data.list.push(request.data)
        request.data.deep.n = 8
        raw = request.raw
        return 1
      }) as never)
    const payload = { list: [[1]], deep: { n: 7 } }
    await invoke(handler, payload)
    expect(raw).toEqual(payload)
    const nested: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    const deep = core()
      .use(invocation())
      .handler(() => 'deep')
    expect(await deep(nested as never, lambdaContext())).toBe('deep')
  })

  it('R23: sqs() takes the bare list of EventBridge Pipes', async () => {
    for (const queueArn of [undefined, fifoArn]) {
      const { Records } = sqsEvent(abc, queueArn === undefined ? {} : { queueArn })
      const seen: unknown[] = []
      const logger = new RecordingLogger()
      const handler = core()
        .use(sqs({ logger }))
        .handler(
          eachRecord((request: SqsRequest) => {
            seen.push(request.messageId)
            failing('c')(request)
          }) as never,
        )
      expect(listed(await invoke(handler, Records))).toEqual(['c'])
      expect(seen).toEqual(['a', 'b', 'c'])
    }
  })

  it.each([
    ['another source’s list', [{ eventSource: 'aws:kinesis' }], 'sqs() takes aws:sqs and got "aws:kinesis"'],
    ['a list that names no source', [{ messageId: 'a', body: '1' }], 'without an eventSource'],
    ['records that name no source', { Records: [{ messageId: 'a', body: '1' }] }, 'EventBridge Pipes'],
  ])('R23: sqs() refuses %s, and says what it is', async (_what, event, message) => {
    const handler = core()
      .use(sqs())
      .handler(eachRecord(() => 1) as never)
    await expect(invoke(handler, event)).rejects.toThrow(message)
  })
})

it('every request has an id that stays the same when AWS delivers it again', async () => {
  const ids: unknown[] = []
  const push = ({ id }: { readonly id: string | undefined }) => void ids.push(id)
  await invoke(middy().use(sqs()).handler(eachRecord(push)), sqsEvent(abc))
  await invoke(middy().use(sns()).handler(eachRecord(push)), snsEvent([{ message: 'x', messageId: 'n' }]))
  await invoke(middy().use(invocation()).handler(push), 1, { ...lambdaContext(), awsRequestId: 'r' })
  expect(ids).toEqual(['a', 'b', 'c', 'n', 'r'])
})
