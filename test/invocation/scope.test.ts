// One scope for an invocation: who sees it, and who never does, on both majors of Middy and in any place of the chain.
import { currentInvocation } from 'clearskies-middy'
import { backends } from 'clearskies-middy/middleware/backends'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import { httpApiEvent, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import type { Context } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { cores } from '../support/gated-queue.ts'

type AnyHandler = (event: unknown, context: Context) => Promise<unknown>
interface HookRequest {
  readonly context: Context
}

const id = (): string | undefined => currentInvocation()?.requestId
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What stands in front of the first middleware of the library. */
const fronts = {
  'first in the chain': [],
  'behind a synchronous middleware': [
    {
      before: ({ context }: HookRequest): void => {
        JSON.stringify(context)
      },
    },
  ],
  'behind an asynchronous middleware': [{ before: turn }],
}

/** What happens behind it. */
const courses = {
  'that answers': { handler: () => 'value' },
  'whose handler fails at once': {
    handler: () => {
      throw new Error('own')
    },
  },
  'whose handler fails later': {
    handler: async () => {
      await turn()
      throw new Error('own')
    },
  },
  'whose next middleware fails at once': {
    before: () => {
      throw new Error('own')
    },
    handler: () => 'value',
  },
  'that a middleware answers early': { before: () => 'early', handler: () => 'value' },
}

const openers = {
  invocation: () => invocation(),
  backends: () => backends({}),
}

describe.each(cores)('the scope of an invocation on %s', (_, core) => {
  describe.each(Object.keys(fronts) as (keyof typeof fronts)[])('%s', (front) => {
    it.each(
      (Object.keys(courses) as (keyof typeof courses)[]).flatMap((course) =>
        (Object.keys(openers) as (keyof typeof openers)[]).map((opener) => [opener, course] as const),
      ),
    )('%s(): the caller of a handler %s never sees it', async (opener, course) => {
      const { handler, ...hooks } = { before: undefined, ...courses[course] }
      const chain = core()
      for (const middleware of fronts[front]) chain.use(middleware as never)
      chain.use(openers[opener]() as never)
      if (hooks.before !== undefined) chain.use({ before: hooks.before } as never)
      const invoked = chain.handler(handler as never) as unknown as AnyHandler
      for (let round = 0; round < 3; round++) {
        const running = invoked({}, lambdaContext())
        expect(currentInvocation(), 'at once').toBeUndefined()
        await running.catch(() => undefined)
        expect(currentInvocation(), 'behind it').toBeUndefined()
      }
    })

    it('the handler, each after, each onError and what they leave unawaited see it', async () => {
      const seen: Record<string, string | undefined> = {}
      const left: Promise<void>[] = []
      const look = (where: string): void => {
        seen[where] = id()
        left.push(turn().then(() => void (seen[`${where}, later`] = id())))
      }
      const hooks = (place: string) => ({
        after: () => look(`after ${place}`),
        onError: () => look(`onError ${place}`),
      })
      const chain = core()
      for (const middleware of fronts[front]) chain.use(middleware as never)
      const failing = {
        after: () => {
          throw new Error('own')
        },
      }
      for (const middleware of [hooks('in front'), invocation(), hooks('behind'), failing])
        chain.use(middleware as never)
      const handler = chain.handler((() => look('handler')) as never) as unknown as AnyHandler
      await expect(handler({}, lambdaContext({ awsRequestId: 'mine' }))).rejects.toThrow('own')
      await Promise.all(left)
      const places = ['handler', 'onError behind', 'onError in front']
      expect(seen).toEqual(
        Object.fromEntries(
          places.flatMap((place) => [
            [place, 'mine'],
            [`${place}, later`, 'mine'],
          ]),
        ),
      )
    })
  })

  it('a handler that calls another chain: each sees its own, and the outer one keeps it', async () => {
    const inner = core()
      .use(invocation())
      .handler(async () => {
        await turn()
        return id()
      }) as unknown as AnyHandler
    const outer = core()
      .use(invocation())
      .handler(async () => {
        const seen = [id()]
        seen.push((await inner({}, lambdaContext({ awsRequestId: 'inner' }))) as string)
        seen.push(id())
        const running = inner({}, lambdaContext({ awsRequestId: 'inner' }))
        seen.push(id())
        await running
        seen.push(id())
        return seen
      }) as unknown as AnyHandler
    expect(await outer({}, lambdaContext({ awsRequestId: 'outer' }))).toEqual([
      'outer',
      'inner',
      'outer',
      'outer',
      'outer',
    ])
  })

  it('a handler that calls itself: each level sees its own', async () => {
    const handler: AnyHandler = core()
      .use(invocation())
      .handler(async ({ data }: { data: unknown }) => {
        const level = Number(data)
        const below =
          level > 0 ? await handler(level - 1, lambdaContext({ awsRequestId: String(level - 1) })) : []
        return [...(below as string[]), id()]
      }) as unknown as AnyHandler
    expect(await handler(3, lambdaContext({ awsRequestId: '3' }))).toEqual(['0', '1', '2', '3'])
  })

  it('currentInvocation() tells the source, the record and the deadline', async () => {
    const now = Date.now()
    const context = lambdaContext({ awsRequestId: 'r', timeout: 9000, now: () => now })
    const http = core()
      .use(httpApi())
      .handler(() => ({ ...currentInvocation() })) as unknown as AnyHandler
    const { body } = (await http(httpApiEvent(), context)) as { body: string }
    expect(JSON.parse(body)).toMatchObject({ requestId: 'r', source: 'http-api' })
    const seen: unknown[] = []
    const records = core()
      .use(sqs())
      .use(parameterStore())
      .handler(
        eachRecord(async () => {
          await turn()
          seen.push(currentInvocation())
        }),
      ) as unknown as AnyHandler
    const event = sqsEvent([
      { body: 1, messageId: 'a' },
      { body: 2, messageId: 'b' },
    ])
    await records(event, context)
    expect(seen).toEqual(
      ['a', 'b'].map((record) => ({
        requestId: 'r',
        source: 'sqs',
        record: { id: record },
        deadline: expect.closeTo(now + 9000, -2),
      })),
    )
  })

  it('R13: the deadline of a durable execution is found where its Lambda context stands', async () => {
    const { getRemainingTimeInMillis, ...facts } = lambdaContext({ timeout: 5000 })
    const durable = { lambdaContext: { ...facts, getRemainingTimeInMillis }, step: () => undefined }
    const handler = core()
      .use(invocation())
      .handler(() => (currentInvocation()?.deadline ?? 0) - Date.now()) as unknown as AnyHandler
    const left = await handler({}, durable as never)
    expect(left).toBeGreaterThan(4000)
    expect(left).toBeLessThanOrEqual(5000)
  })

  it('R13: behind a durable execution a record that hangs is given up before the function is', async () => {
    const { getRemainingTimeInMillis, ...facts } = lambdaContext({ timeout: 600 })
    const durable = { lambdaContext: { ...facts, getRemainingTimeInMillis } }
    let signal: AbortSignal | undefined
    const handler = core({ timeoutEarlyInMillis: 0 })
      .use(sqs())
      .handler(
        eachRecord((request) => {
          signal = (request as { signal: AbortSignal }).signal
          return new Promise(() => undefined)
        }),
      ) as unknown as AnyHandler
    const answer = await handler(sqsEvent([{ body: 1, messageId: 'a' }]), durable as never)
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] })
    expect(signal?.aborted).toBe(true)
  })

  it('R6: once Middy has answered early, no record is begun any more, and what runs is aborted', async () => {
    const begun: string[] = []
    const signals: AbortSignal[] = []
    const gate = Promise.withResolvers<undefined>()
    const handler = core({ timeoutEarlyInMillis: 200 })
      .use(sqs())
      .handler(
        eachRecord(
          async (request) => {
            const { messageId, signal } = request as { messageId: string; signal: AbortSignal }
            begun.push(messageId)
            signals.push(signal)
            await gate.promise
          },
          { concurrency: 1, deadlineMargin: 0 },
        ),
      ) as unknown as AnyHandler
    const messages = ['a', 'b', 'c'].map((messageId) => ({ body: 1, messageId }))
    const answer = await handler(sqsEvent(messages), lambdaContext({ timeout: 250 }))
    expect(answer).toEqual({
      batchItemFailures: messages.map(({ messageId }) => ({ itemIdentifier: messageId })),
    })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    gate.resolve(undefined)
    for (let count = 0; count < 5; count++) await turn()
    expect(begun).toEqual(['a'])
  })
})
