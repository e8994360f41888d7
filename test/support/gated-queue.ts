import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import { model } from 'clearskies-middy/backends/model'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { backends } from 'clearskies-middy/middleware/backends'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { lambdaContext } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { z } from 'zod'
import type { useSqs } from './engines.ts'

/** Both majors of Middy. */
export const cores: readonly (readonly [string, typeof middy])[] = [
  ['@middy/core 7', middy],
  ['@middy/core 6.4.5', middy6 as unknown as typeof middy],
]

const schema = z.object({ id: z.string() })
let queues = 0

/** A queue whose client waits for a gate; one that does not exist, if it is to fail. */
export function gatedQueue(engine: ReturnType<typeof useSqs>, exists = true) {
  const name = `freeze-${++queues}`
  const url = exists ? engine.createQueue(name) : `${engine.server.address}/000000000000/${name}`
  const gate = Promise.withResolvers<undefined>()
  const reached = Promise.withResolvers<undefined>()
  const state = { acknowledged: 0 }
  const client = {
    async send(command: SendMessageBatchCommand) {
      reached.resolve(undefined)
      await gate.promise
      const output = await engine.client.send(command)
      state.acknowledged += output.Successful?.length ?? 0
      return output
    },
  }
  return { backend: new SqsBackend(model({ name: url, schema }), { client }), gate, reached, state }
}

type GatedQueue = ReturnType<typeof gatedQueue>

/** What a hook of Middy's has. */
export interface HookRequest {
  readonly context: { readonly backends: { readonly queue: GatedQueue['backend'] } }
  readonly error: unknown
  response: unknown
}

/** Sends and does not wait. */
export function send({ context }: Pick<HookRequest, 'context'>): void {
  void context.backends.queue.create({ id: '7' })
}

export function sends(request: Pick<HookRequest, 'context'>): string {
  send(request)
  return 'value'
}

/** What invocations here fail with. */
export const own = new Error('own')

export function fail(): never {
  throw own
}

export function sendsAndFails(request: Pick<HookRequest, 'context'>): never {
  send(request)
  return fail()
}

/** Middlewares around backends(), and a handler. */
export interface Chain {
  /** In front of backends(), and behind it. */
  readonly front?: object
  readonly behind?: object
  readonly handler?: (request: Pick<HookRequest, 'context'>) => unknown
}

/** Invokes a chain; tells what it came to, and how many messages SQS had acknowledged then. */
export function run(
  core: typeof middy,
  { front, behind, handler = sends }: Chain,
  { backend, state }: GatedQueue,
) {
  const seen: unknown[] = []
  const watch = { onError: ({ error }: HookRequest) => void seen.push(error) }
  const chain = core()
  // A hook in front that takes its time puts Middy 6 into another asynchronous context than the handler's.
  for (const middleware of [invocation(), front, watch].flat())
    if (middleware !== undefined) chain.use(middleware as never)
  chain.use(backends({ queue: backend }) as never)
  for (const middleware of [behind].flat()) if (middleware !== undefined) chain.use(middleware as never)
  const invoked = chain.handler(((event: unknown, context: HookRequest['context']) =>
    handler({ context })) as never) as unknown as (event: unknown, context: unknown) => Promise<unknown>
  const outcome = {
    isSettled: false,
    acknowledged: 0,
    value: undefined as unknown,
    error: undefined as unknown,
  }
  const done = invoked({}, lambdaContext()).then(
    (value) => Object.assign(outcome, { isSettled: true, acknowledged: state.acknowledged, value }),
    (error: unknown) => Object.assign(outcome, { isSettled: true, acknowledged: state.acknowledged, error }),
  )
  return { done, outcome, seen }
}

/** Enough turns of the event loop for anything to end that does not wait for the gate. */
export async function letTurn(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}
