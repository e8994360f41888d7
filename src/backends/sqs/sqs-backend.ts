import type { SendMessageBatchCommandOutput } from '@aws-sdk/client-sqs'
import { type AwsClient, type ClientOption, lazyClient } from '../../aws-client.ts'
import { atEndOfTick } from '../../end-of-tick.ts'
import { SqsSendError } from '../../errors.ts'
import { optionalImport } from '../../optional-import.ts'
import { checkOptions, is } from '../../options.ts'
import type { Flushes } from '../../middleware/backends.ts'
import type { Creates } from '../capabilities.ts'
import type { Model } from '../model.ts'
import { type Message, type MessageAttributes, pack, toMessage } from './message.ts'

/** Options of {@link SqsBackend}. */
export interface SqsBackendOptions<TItem = unknown> {
  /** An `SQSClient`, or anything else with its `send`, or a function that gives one. @default one per region and process */
  readonly client?: ClientOption
  /** The message group: required on FIFO queues, for fair queues otherwise. */
  readonly groupId?: (data: TItem) => string
  /** On FIFO queues, what makes two messages one. @default a new id for each */
  readonly deduplicationId?: (data: TItem) => string
  /** How long the message is hidden at first, 0 to 900; not on FIFO queues. */
  readonly delaySeconds?: number | ((data: TItem) => number)
  /** What to send beside the body. */
  readonly attributes?: (data: TItem) => MessageAttributes
}

interface Pending extends Message {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const loadSdk = () => optionalImport('@aws-sdk/client-sqs', () => import('@aws-sdk/client-sqs'))

const clients = new Map<string | undefined, Promise<AwsClient>>()

/** One client per region, because a request is signed for the client's region and sent to the queue's. */
function regionalClient(region: string | undefined): Promise<AwsClient> {
  let client = clients.get(region)
  if (client === undefined) {
    client = loadSdk().then(({ SQSClient }) => new SQSClient(region === undefined ? {} : { region }))
    clients.set(region, client)
  }
  return client
}

/**
 * Sends messages to an SQS queue. Creates of one tick share requests of ten; each resolves when SQS has acknowledged
 * that very message. Needs `@aws-sdk/client-sqs` and the permission `sqs:SendMessage`.
 *
 * @example
 * ```ts
 * import { model } from 'clearskies-middy/backends/model'
 * import { SqsBackend } from 'clearskies-middy/backends/sqs'
 * import { z } from 'zod'
 *
 * const Order = model({ name: () => String(process.env['ORDERS_URL']), schema: z.object({ id: z.string() }) })
 *
 * await new SqsBackend(Order).create({ id: '7' })
 * ```
 */
export class SqsBackend<TItem, TInput> implements Creates<TItem, TInput>, Flushes {
  readonly #model: Model<TItem, TInput, never>
  readonly #options: SqsBackendOptions<TItem>
  readonly #client: () => Promise<AwsClient>
  readonly #open = new Set<Promise<void>>()
  #pending: Pending[] = []

  constructor(model: Model<TItem, TInput, never>, options: SqsBackendOptions<TItem> = {}) {
    checkOptions('SqsBackend', options, {
      client: (value: unknown) =>
        typeof value === 'function' || typeof (value as { send?: unknown } | null)?.send === 'function',
      groupId: is('function'),
      deduplicationId: is('function'),
      delaySeconds: (value: unknown) =>
        typeof value === 'function' || (typeof value === 'number' && value >= 0 && value <= 900),
      attributes: is('function'),
    })
    this.#model = model
    this.#options = options
    this.#client = lazyClient(options.client, () =>
      regionalClient(/^https?:\/\/sqs\.([a-z0-9-]+)\./.exec(model.name)?.[1]),
    )
  }

  /** Sends a message; gives the data when SQS has acknowledged it. @throws SqsSendError */
  create(data: TInput): Promise<TItem> {
    const creating = this.#create(data)
    const open = creating
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#open.delete(open))
    this.#open.add(open)
    return creating
  }

  async #create(data: TInput): Promise<TItem> {
    const item = await this.#model.validate(data)
    const { groupId, deduplicationId, delaySeconds, attributes } = this.#options
    const fifo = this.#model.name.endsWith('.fifo')
    const message = toMessage(
      item,
      {
        groupId: groupId?.(item),
        deduplicationId: deduplicationId?.(item) ?? (fifo ? crypto.randomUUID() : undefined),
        delaySeconds: typeof delaySeconds === 'function' ? delaySeconds(item) : delaySeconds,
        attributes: attributes?.(item),
      },
      fifo,
    )
    await new Promise<void>((resolve, reject) => {
      this.#pending.push({ ...message, resolve, reject })
      if (this.#pending.length === 1)
        atEndOfTick(() => {
          this.#sendPending()
        })
    })
    return item
  }

  createMany(list: readonly TInput[]): Promise<TItem[]> {
    return Promise.all(list.map((data) => this.create(data)))
  }

  /** Resolves when no message is on its way. */
  async flush(): Promise<void> {
    await Promise.all(this.#open)
  }

  #sendPending(): void {
    const pending = this.#pending
    this.#pending = []
    for (const request of pack(pending)) void this.#send(request)
  }

  async #send(messages: readonly Pending[]): Promise<void> {
    try {
      const { SendMessageBatchCommand } = await loadSdk()
      const Entries = messages.map(({ entry }, index) => ({ ...entry, Id: String(index) }))
      const output = (await (
        await this.#client()
      ).send(
        new SendMessageBatchCommand({ QueueUrl: this.#model.name, Entries }),
      )) as SendMessageBatchCommandOutput
      const sent = new Set(output.Successful?.map(({ Id }) => Id))
      const failed = new Map(output.Failed?.map((failure) => [failure.Id, failure]))
      messages.forEach(({ resolve, reject }, index) => {
        const { Code = 'Unknown' } = failed.get(String(index)) ?? {}
        if (sent.has(String(index))) resolve()
        else reject(new SqsSendError(`SQS did not take the message: ${Code}`, { code: Code }))
      })
    } catch (cause) {
      const code = String((cause as { name?: unknown }).name)
      for (const { reject } of messages)
        reject(new SqsSendError(`SQS did not take the messages: ${code}`, { code, cause }))
    }
  }
}
