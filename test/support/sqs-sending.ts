import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs'
import { model } from 'clearskies-middy'
import { SqsBackend, type SqsBackendOptions } from 'clearskies-middy/backends/sqs'
import { afterEach, vi } from 'vitest'
import { z } from 'zod'
import { useSqs } from './engines.ts'
import { RecordingLogger } from './recording-logger.ts'
import { SqsFaultProxy } from './sqs-fault-proxy.ts'
import type { Plan, SeenRequest } from './sqs-faults.ts'

export const schema = z.object({
  id: z.string(),
  group: z.string().optional(),
  text: z.string().optional(),
})
export type Item = z.infer<typeof schema>

export interface OpenOptions {
  readonly fifo?: boolean
  /** How often the AWS client itself tries. @default 1 */
  readonly maxAttempts?: number
  readonly attributes?: Record<string, string>
}

/** A queue behind a proxy of its own, for each test of a file, and a backend for it. */
export function useFaultySqs() {
  const sqs = useSqs()
  const open: { close(): unknown }[] = []
  let queues = 0
  afterEach(async () => {
    vi.restoreAllMocks()
    vi.useRealTimers()
    await Promise.all(open.splice(0).map((one) => one.close()))
  })

  return {
    async open(
      options: SqsBackendOptions<Item> = {},
      { fifo = false, maxAttempts = 1, attributes = {} }: OpenOptions = {},
    ) {
      const name = `sending-${++queues}${fifo ? '.fifo' : ''}`
      sqs.createQueue(name, { ...(fifo && { FifoQueue: 'true' }), ...attributes })
      const proxy = await SqsFaultProxy.start(sqs.server.address)
      const client = new SQSClient({ endpoint: proxy.url, maxAttempts })
      open.push(proxy, { close: () => client.destroy() })
      const url = `${proxy.url}/000000000000/${name}`
      const logger = new RecordingLogger()
      const byGroup = fifo ? { groupId: ({ group = 'a' }: Item) => group } : {}
      const backend = new SqsBackend(model({ name: url, schema }), { client, logger, ...byGroup, ...options })
      /** Does what is to be done for each request that sends, the first one being number 0. */
      const onSend = (plan: (request: SeenRequest, number: number) => Plan | undefined): void => {
        let number = 0
        proxy.plan = (request) =>
          request.action === 'SendMessageBatch' ? plan(request, number++) : undefined
      }
      return {
        onSend,
        url,
        proxy,
        client,
        logger,
        backend,
        /** The queue's messages, in its order. */
        messages: () => sqs.server.inspectQueue(name)?.messages.ready ?? [],
        /** Their ids, in its order. */
        ids: () =>
          (sqs.server.inspectQueue(name)?.messages.ready ?? []).map(
            ({ body }) => (JSON.parse(body) as Item).id,
          ),
        /** Holds all requests that send, from now on; tells when so many are there. */
        hold(count: number) {
          const gate = Promise.withResolvers<undefined>()
          const reached = Promise.withResolvers<undefined>()
          onSend((_, number) => {
            if (number + 1 === count) reached.resolve(undefined)
            return { wait: gate.promise }
          })
          return { reached: reached.promise, release: () => gate.resolve(undefined) }
        },
        /** Another call, there and back: whatever was to be sent before it would have come by now. */
        async roundTrip() {
          await client.send(new GetQueueUrlCommand({ QueueName: name }))
        },
      }
    },
  }
}

/** Retries without a pause between them. */
export function withoutPauses(): void {
  vi.spyOn(Math, 'random').mockReturnValue(0)
}

/** Items with ids from 0. */
export function items(count: number, fields: Partial<Item> = {}): Item[] {
  return Array.from({ length: count }, (_, index) => ({ id: String(index), ...fields }))
}

/** What a promise rejects with. */
export function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was sent')
    },
    (reason: unknown) => reason,
  )
}
