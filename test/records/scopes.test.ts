// Whose sends are whose: what backends() waits for, and what it does not.
import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { model } from 'clearskies-middy/backends/model'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { SqsSendError } from 'clearskies-middy/errors'
import { backends } from 'clearskies-middy/middleware/backends'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import {
  type HookRequest,
  cores,
  fail,
  gatedQueue,
  letTurn,
  own,
  run,
  send,
  sendsAndFails,
} from '../support/gated-queue.ts'

const engine = useSqs()
let queues = 0

describe.each(cores)('on %s', (_, core) => {
  it('an onError behind throws: Middy calls no other and awaits nothing, but the invocation fails', async () => {
    const queue = gatedQueue(engine)
    const { done } = run(core, { behind: { onError: fail }, handler: sendsAndFails }, queue)
    expect(await done).toMatchObject({ acknowledged: 0, error: own })
    queue.gate.resolve(undefined)
  })

  it('a before in front answers: backends() is not reached, and what is sent there is its own to await', async () => {
    const queue = gatedQueue(engine)
    let sent: Promise<unknown> | undefined
    const front = {
      before: () => {
        sent = queue.backend.create({ id: '7' })
        return 'early'
      },
    }
    const { done } = run(core, { front }, queue)
    expect(await done).toMatchObject({ acknowledged: 0, value: 'early' })
    queue.gate.resolve(undefined)
    expect(await sent).toEqual({ id: '7' })
  })

  it('an after in front of backends() sends: the normalizer waits, and a failure that nobody sees fails the invocation', async () => {
    const queue = gatedQueue(engine, false)
    queue.gate.resolve(undefined)
    const { done } = run(core, { front: { after: send }, handler: () => 'value' }, queue)
    expect(await done).toMatchObject({ value: undefined, error: expect.any(SqsSendError) })
  })

  it('what a function awaits and catches fails nothing', async () => {
    const queue = gatedQueue(engine, false)
    queue.gate.resolve(undefined)
    const handler = ({ context }: Pick<HookRequest, 'context'>) =>
      context.backends.queue.create({ id: '7' }).catch(() => 'caught')
    expect(await run(core, { handler }, queue).done).toMatchObject({
      value: 'caught',
      error: undefined,
    })
  })

  it('data that fits no schema fails the invocation, too, as a fault of its own and not the caller’s', async () => {
    const queue = gatedQueue(engine)
    const handler = ({ context }: Pick<HookRequest, 'context'>) => {
      void context.backends.queue.create({ id: 7 } as never)
    }
    const { error } = await run(core, { handler }, queue).done
    expect(error).toBeInstanceOf(SqsSendError)
    expect(error).toMatchObject({ code: 'ValidationError' })
  })

  it('of two backends() in a chain, what is sent between them is awaited', async () => {
    const queue = gatedQueue(engine)
    const behind = [{ before: send }, backends({ other: { find: () => undefined } })]
    const { done, outcome } = run(core, { behind, handler: () => 'value' }, queue)
    await queue.reached.promise
    await letTurn()
    expect(outcome.isSettled).toBe(false)
    queue.gate.resolve(undefined)
    expect(await done).toMatchObject({ acknowledged: 1, value: 'value' })
  })

  it('interleaved invocations each wait for their own, and no other', async () => {
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<undefined>())
    const url = engine.createQueue(`interleaved-${++queues}`)
    const acknowledged = new Set<string>()
    const client = {
      async send(command: SendMessageBatchCommand) {
        const ids = (command.input.Entries ?? []).map(
          ({ MessageBody = '' }) => JSON.parse(MessageBody) as { id: string },
        )
        await Promise.all(ids.map(({ id }) => gates[Number(id)]!.promise))
        const output = await engine.client.send(command)
        for (const { id } of ids) acknowledged.add(id)
        return output
      },
    }
    const queue = new SqsBackend(model({ name: url, schema: z.object({ id: z.string() }) }), { client })
    const handler = core()
      .use(invocation())
      .use(backends({ queue }))
      .handler(async (request, context) => {
        const id = String(request.data)
        // Through the context, and past it.
        await new Promise(setImmediate)
        void (Number(id) % 2 === 0 ? context.backends.queue : queue).create({ id })
        return id
      }) as unknown as (event: unknown, context: unknown) => Promise<unknown>
    const settled: unknown[] = []
    const invocations: Promise<unknown>[] = []
    for (const id of gates.keys()) {
      invocations.push(
        handler(id, lambdaContext()).then((value) => {
          expect([...acknowledged]).toContain(value)
          settled.push(value)
        }),
      )
      await letTurn() // What is sent in one tick shares a call.
    }
    const order = [3, 0, 4, 2, 1]
    for (const [count, id] of order.entries()) {
      await letTurn()
      expect(settled).toEqual(order.slice(0, count).map(String))
      gates[id]?.resolve(undefined)
      await invocations[id]
    }
    expect(settled).toEqual(order.map(String))
  })
})
