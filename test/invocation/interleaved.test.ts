// Two and fifty invocations beside each other, whose data, deadlines and failures differ: nothing of one shows in another.
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { currentInvocation } from 'clearskies-middy'
import { MemoryBackend } from 'clearskies-middy/backends/memory'
import { model } from 'clearskies-middy/backends/model'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { SqsSendError } from 'clearskies-middy/errors'
import { backends } from 'clearskies-middy/middleware/backends'
import { environment } from 'clearskies-middy/middleware/environment'
import { validate } from 'clearskies-middy/middleware/validate'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { sns } from 'clearskies-middy/normalizers/sns'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import { lambdaContext, memorySecrets, snsEvent, sqsEvent } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { runs } from '../support/runs.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { gatewaySources } from '../support/sources.ts'

type AnyHandler = (event: unknown, context: Context) => Promise<unknown>

const engine = useSqs()
const cores = { '@middy/core 7': middy, '@middy/core 6.4.5': middy6 as unknown as typeof middy }
const payload = z.object({ id: z.string(), fails: z.boolean() })
const Row = model({ name: 'rows', key: ['id'], schema: z.object({ id: z.string(), of: z.string() }) })
const Message = z.object({ id: z.string() })
let queues = 0

/** What one invocation saw of itself, at many moments. */
interface Seen {
  readonly requestIds: Set<string | undefined>
  readonly deadlines: Set<number | undefined>
  readonly records: Set<string | undefined>
}

class Witnesses {
  readonly #seen = new Map<string, Seen>()

  look(id: string): void {
    const { requestId, deadline, record } = currentInvocation() ?? {}
    const seen = this.of(id)
    seen.requestIds.add(requestId)
    seen.deadlines.add(deadline)
    seen.records.add(record?.id)
  }

  of(id: string): Seen {
    let seen = this.#seen.get(id)
    if (seen === undefined)
      this.#seen.set(id, (seen = { requestIds: new Set(), deadlines: new Set(), records: new Set() }))
    return seen
  }
}

/** Lets others run, a number of times that the seed says. */
async function pause(random: () => number): Promise<void> {
  for (let left = Math.floor(random() * 4); left > 0; left--)
    await new Promise((resolve) => setImmediate(resolve))
}

interface Parts {
  readonly core: typeof middy
  readonly random: () => number
  readonly witnesses: Witnesses
}

/** A handler of `{ id, fails }` that looks at itself between everything it does, and sends without waiting. */
function work({ random, witnesses }: Parts, acknowledged: Set<string>) {
  const queue = new SqsBackend(model({ name: engine.createQueue(`beside-${++queues}`), schema: Message }), {
    client: {
      async send(command: never) {
        const { input } = command as { input: { Entries: { MessageBody: string }[] } }
        const output = await engine.client.send(command)
        for (const { MessageBody } of input.Entries)
          acknowledged.add((JSON.parse(MessageBody) as { id: string }).id)
        return output
      },
    },
  })
  const lost = new SqsBackend(
    model({ name: `${engine.server.address}/000000000000/none-${++queues}`, schema: Message }),
    { client: engine.client },
  )
  return async (
    { data }: { data: z.infer<typeof payload> },
    context: {
      backends: { rows: MemoryBackend<{ id: string; of: string }, { id: string; of: string }, 'id'> }
    },
  ): Promise<unknown> => {
    const { id, fails } = data
    witnesses.look(id)
    await pause(random)
    const { rows } = context.backends
    await rows.put({ id, of: currentInvocation()?.requestId ?? '' })
    witnesses.look(id)
    await pause(random)
    void (fails ? lost : queue).create({ id })
    await pause(random)
    witnesses.look(id)
    return { id, of: (await rows.find({ id }))?.of }
  }
}

/** A chain with every middleware that needs no database. */
function chain({ core }: Pick<Parts, 'core'>, normalizer: object, isBatch = false) {
  const made = core()
  const middlewares = [
    normalizer,
    ...(isBatch ? [] : [validate({ data: payload })]),
    memorySecrets({ '/shop/key': 'secret' }),
    environment({ file: false }),
    backends({ rows: new MemoryBackend(Row) }),
  ]
  for (const middleware of middlewares) made.use(middleware as never)
  return made
}

interface Case {
  readonly id: string
  readonly fails: boolean
  readonly context: Context
  readonly timeout: number
}

function cases(count: number, random: () => number, now: number): Case[] {
  return Array.from({ length: count }, (_, index) => {
    const timeout = 5000 + Math.floor(random() * 60_000)
    const id = `i${index}`
    return {
      id,
      fails: random() < 0.3,
      timeout,
      context: lambdaContext({ awsRequestId: id, timeout, now: () => now }),
    }
  })
}

function expectOwn(witnesses: Witnesses, { id, timeout }: Case, now: number): void {
  const { requestIds, deadlines } = witnesses.of(id)
  expect([...requestIds], id).toEqual([id])
  expect(deadlines.size, id).toBe(1)
  const [deadline = 0] = deadlines
  // The clock of the context stands still, and that of the scope does not.
  expect(deadline - now - timeout, id).toBeGreaterThanOrEqual(0)
  expect(deadline - now - timeout, id).toBeLessThan(5000)
}

describe.each(Object.keys(cores) as (keyof typeof cores)[])('invocations beside each other on %s', (name) => {
  const core = cores[name]
  const sizes = [2, 50]

  // Of Node's own server: E85 in `test/serve`.
  it.each(gatewaySources.flatMap((source) => sizes.map((size) => [source.name, size, source] as const)))(
    '%s: of %i requests each sees its own context, deadline and failed send',
    async (_, size, source) => {
      for (let seed = 0; seed < runs(10); seed++) {
        const random = seededRandom(seed)
        const now = Date.now()
        const parts: Parts = { core, random, witnesses: new Witnesses() }
        const acknowledged = new Set<string>()
        const handler = chain(parts, source.normalizer({ logger: new RecordingLogger() })).handler(
          work(parts, acknowledged) as never,
        ) as unknown as AnyHandler
        await Promise.all(
          cases(size, random, now).map(async (own) => {
            const { id, fails, context } = own
            await pause(random)
            const event = source.event({ method: 'POST', path: '/', body: { id, fails } })
            const { statusCode, body } = (await handler(event, context)) as {
              statusCode: number
              body: string
            }
            expect(statusCode, id).toBe(fails ? 500 : 200)
            expect(acknowledged.has(id), id).toBe(!fails)
            if (!fails) expect(JSON.parse(body)).toEqual({ id, of: id })
            expectOwn(parts.witnesses, own, now)
          }),
        )
      }
    },
  )

  it.each(sizes)('invocation(): of %i each sees its own context, deadline and failed send', async (size) => {
    for (let seed = 0; seed < runs(20); seed++) {
      const random = seededRandom(seed)
      const now = Date.now()
      const parts: Parts = { core, random, witnesses: new Witnesses() }
      const acknowledged = new Set<string>()
      const handler = chain(parts, invocation()).handler(
        work(parts, acknowledged) as never,
      ) as unknown as AnyHandler
      await Promise.all(
        cases(size, random, now).map(async (own) => {
          const { id, fails, context } = own
          const outcome = await handler({ id, fails }, context).catch((error: unknown) => error)
          if (fails) expect(outcome, id).toBeInstanceOf(SqsSendError)
          else expect(outcome).toEqual({ id, of: id })
          expect(acknowledged.has(id), id).toBe(!fails)
          expectOwn(parts.witnesses, own, now)
        }),
      )
    }
  })

  it.each(sizes)(
    'sqs(): of %i batches each lists its own records, and each record sees itself alone',
    async (size) => {
      for (let seed = 0; seed < runs(10); seed++) {
        const random = seededRandom(seed)
        const now = Date.now()
        const parts: Parts = { core, random, witnesses: new Witnesses() }
        const acknowledged = new Set<string>()
        const handler = chain(parts, sqs({ logger: new RecordingLogger() }), true).handler(
          eachRecord(work(parts, acknowledged) as never) as never,
        ) as unknown as AnyHandler
        await Promise.all(
          cases(size, random, now).map(async ({ id, context }) => {
            const records = Array.from({ length: 4 }, (_, index) => ({
              messageId: `${id}-${index}`,
              body: { id: `${id}-${index}`, fails: random() < 0.3 },
            }))
            const answer = await handler(sqsEvent(records), context)
            const failed = records.filter(({ body }) => body.fails)
            expect(answer).toEqual({
              batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })),
            })
            for (const { messageId, body } of records) {
              const seen = parts.witnesses.of(messageId)
              expect([...seen.requestIds], messageId).toEqual([id])
              expect([...seen.records], messageId).toEqual([messageId])
              expect(acknowledged.has(messageId), messageId).toBe(!body.fails)
            }
          }),
        )
      }
    },
  )

  it.each(sizes)('sns(): of %i events each fails by its own record', async (size) => {
    for (let seed = 0; seed < runs(10); seed++) {
      const random = seededRandom(seed)
      const now = Date.now()
      const parts: Parts = { core, random, witnesses: new Witnesses() }
      const acknowledged = new Set<string>()
      const handler = chain(parts, sns({ logger: new RecordingLogger() }), true).handler(
        eachRecord(work(parts, acknowledged) as never) as never,
      ) as unknown as AnyHandler
      await Promise.all(
        cases(size, random, now).map(async (own) => {
          const { id, fails, context } = own
          const outcome = await handler(snsEvent([{ message: { id, fails } }]), context).catch(
            (error: unknown) => error,
          )
          expect(outcome instanceof Error, id).toBe(fails)
          expect(acknowledged.has(id), id).toBe(!fails)
          expectOwn(parts.witnesses, own, now)
        }),
      )
    }
  })
})
