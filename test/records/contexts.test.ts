// A record sees what the batch's chain put into the context, and what its own middlewares do, and nothing of another.
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { MemoryBackend } from 'clearskies-middy/backends/memory'
import { model } from 'clearskies-middy/backends/model'
import { backends } from 'clearskies-middy/middleware/backends'
import { environment } from 'clearskies-middy/middleware/environment'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sns } from 'clearskies-middy/normalizers/sns'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import { invoke, lambdaContext, snsEvent, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cores } from '../support/gated-queue.ts'
import { fifoArn, turns } from '../support/sqs-work.ts'

interface TenantRequest {
  readonly data: { readonly tenant: string; readonly waits: number }
}
type TenantContext = Context & Record<string, unknown>

const bodies = ['a', 'b', 'c', 'd'].map((tenant, index) => ({ tenant, waits: 9 - 2 * index }))

/** Lambda's context as the durable SDK gives one: a class, whose state is in itself. */
class StepContext {
  steps = 0
  readonly #id = 'private'
  readonly lambdaContext: Context = lambdaContext()
  step(): number {
    return ++this.steps
  }
  get id(): string {
    return this.#id
  }
}

const sources: readonly (readonly [name: string, source: typeof sqs, event: object])[] = [
  ['sqs()', sqs, sqsEvent(bodies.map((body) => ({ body })))],
  [
    'sqs() of a FIFO queue',
    sqs,
    sqsEvent(
      bodies.map((body) => ({ body, groupId: body.tenant })),
      { queueArn: fifoArn },
    ),
  ],
  ['sns()', sns as never, snsEvent(bodies.map((message) => ({ message })))],
]

describe.each(cores)('on %s', (_, core) => {
  describe.each(sources)('behind %s', (_source, source, event) => {
    /** What each record finds of its own, and of the others, in its context. */
    async function seen(context: Context, concurrency: number) {
      const found: unknown[] = []
      const work = core(async ({ data }: TenantRequest, own: TenantContext) => {
        await turns(data.waits)
        found.push([data.tenant, own['tenant'], own['left'], own['shared']])
        own['left'] = data.tenant
      }).before((request: { event: TenantRequest; context: TenantContext }) => {
        request.context['tenant'] ??= request.event.data.tenant
      })
      const handler = core()
        .use(source())
        .before(({ context }) => void Object.assign(context, { shared: 'all' }))
        .handler(eachRecord(work as never, { concurrency }) as never)
      await invoke(handler, event, context)
      return found.toSorted()
    }

    it.each([1, 2, 10])(
      'R4: %s at once, each record finds its own tenant and nothing that another left',
      async (concurrency) => {
        expect(await seen(lambdaContext(), concurrency)).toEqual(
          bodies.map(({ tenant }) => [tenant, tenant, undefined, 'all']),
        )
      },
    )

    it('R4: a frozen context is no hindrance', async () => {
      expect(await seen(Object.freeze(lambdaContext()), 10)).toHaveLength(4)
    })

    it('R4: a context of a class keeps its state, and what a record writes stays with the record', async () => {
      expect(await seen(new StepContext() as never, 10)).toEqual(
        bodies.map(({ tenant }) => [tenant, tenant, undefined, 'all']),
      )
      const context = new StepContext()
      const steps: unknown[] = []
      const handler = core()
        .use(source())
        .handler(
          eachRecord((_request: unknown, own: never) => {
            const { step, id } = own as StepContext
            steps.push([
              step(),
              id,
              (own as unknown) instanceof StepContext,
              'step' in own,
              Object.keys(own).includes('steps'),
            ])
          }) as never,
        )
      await invoke(handler, event, context as never)
      expect(steps).toEqual([1, 2, 3, 4].map((step) => [step, 'private', true, true, true]))
      expect(context.steps).toBe(4)
    })
  })
})

describe('what our own middlewares put there', () => {
  const Order = model({ name: 'orders', key: ['id'], schema: z.object({ id: z.string() }) })

  it('R4: a backend that is made for a tenant has the rows of that tenant alone', async () => {
    const stores = Object.fromEntries(bodies.map(({ tenant }) => [tenant, new MemoryBackend(Order)]))
    const made: string[] = []
    const work = middy(async ({ data }: TenantRequest, context: TenantContext) => {
      await turns(data.waits)
      const { orders } = context['backends'] as { orders: (typeof stores)[string] }
      await orders.create({ id: data.tenant })
    })
      .before((request) => void (request.context['tenant'] = request.event.data.tenant))
      .use(
        backends({
          orders: (context) => {
            made.push(String(context['tenant']))
            return stores[String(context['tenant'])]!
          },
        }) as never,
      )
    const handler = middy()
      .use(sqs())
      .handler(eachRecord(work) as never)
    expect(await invoke(handler, sources[0]![2])).toEqual({ batchItemFailures: [] })
    for (const { tenant } of bodies)
      expect(await Promise.all(bodies.map(({ tenant: id }) => stores[tenant]!.find({ id })))).toEqual(
        bodies.map(({ tenant: id }) => (id === tenant ? { id } : undefined)),
      )
    expect(made.toSorted()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('R4: backends() of batch and record stack; the batch makes its own once, however often the records ask', async () => {
    let made = 0
    const seen: unknown[] = []
    const work = middy((_request: unknown, context: TenantContext) => {
      const { shared, own } = context['backends'] as { shared: object; own: object }
      const again = (context['backends'] as { shared: object }).shared
      seen.push([shared === again, Object.keys(own)])
    }).use(backends({ own: { find: () => undefined } }) as never)
    const handler = middy()
      .use(sqs())
      .use(backends({ shared: () => ({ made: ++made }) }))
      .use(environment())
      .handler(eachRecord(work) as never)
    await invoke(handler, sources[0]![2], Object.freeze(lambdaContext()))
    expect([made, seen]).toEqual([1, bodies.map(() => [true, ['find']])])
  })

  it('R4: methods of the context and what a user keeps unlisted are seen by each record', async () => {
    const seen: unknown[] = []
    const handler = middy()
      .use(sqs())
      .before(({ context }) => void Object.defineProperty(context, 'unlisted', { value: 7 }))
      .handler(
        eachRecord((_, context) => {
          seen.push([context.getRemainingTimeInMillis() > 0, (context as never as { unlisted: 7 }).unlisted])
        }),
      )
    await invoke(handler, sources[0]![2])
    expect(seen).toEqual(bodies.map(() => [true, 7]))
  })
})
