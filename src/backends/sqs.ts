import type { StandardSchemaV1 } from '@standard-schema/spec'
import { queuePort } from '../aws/sqs.ts'
import { defaultLogger, logSafely } from '../core/logger.ts'
import { toInputError } from '../core/standard-schema.ts'
import { ValidationError } from '../errors/index.ts'
import { awaitedScope, recordScope } from '../invocation/scope.ts'
import { type SendFailure, Sending } from '../invocation/sends.ts'
import { traceHeader } from '../invocation/trace-header.ts'
import type { Creates } from './capabilities.ts'
import type { Model } from './model.ts'
import { toBody } from './sending/body.ts'
import type { Receipt } from './sending/lanes.ts'
import { type MessageOptions, toMessage } from './sending/message.ts'
import {
  type SendOptions,
  type SentMessage,
  type SqsBackendOptions,
  checkBackendOptions,
  checkSendOptions,
} from './sending/options.ts'
import { SqsSender } from './sending/sender.ts'

export type { MessageAttributes, PlainAttribute, TypedAttribute } from './sending/attributes.ts'
export type { MessageBody } from './sending/body.ts'
export type { SendOptions, SendOrigin, SentMessage, SqsBackendOptions } from './sending/options.ts'

/**
 * Sends messages to an SQS queue. Creates of one tick share requests of ten and of up to 1 MiB; each resolves when SQS
 * has acknowledged that very message. Only what failed is sent again. Needs `@aws-sdk/client-sqs` and the permission
 * `sqs:SendMessage` (and `kms:GenerateDataKey`, `kms:Decrypt` for a queue under a key of your own).
 *
 * Nothing is lost when Lambda freezes: what nobody awaited is awaited before the response leaves, by `backends()`, and
 * before a record counts as done, by `eachRecord()`.
 *
 * @example
 * ```ts
 * import { model } from 'clearskies-middy/backends/model'
 * import { SqsBackend } from 'clearskies-middy/backends/sqs'
 * import * as z from 'zod'
 *
 * const Order = model({ name: () => String(process.env['ORDERS_URL']), schema: z.object({ id: z.string() }) })
 * const orders = new SqsBackend(Order)
 *
 * await orders.create({ id: '7' })
 * await orders.createMany([{ id: '8' }, { id: '9' }])
 * ```
 */
export class SqsBackend<TItem, TInput> implements Creates<TItem, TInput> {
  readonly #model: Model<TItem, TInput, never>
  readonly #options: SqsBackendOptions<TItem>
  readonly #open = new Set<Sending>()
  #sender: SqsSender | undefined
  #fifo = false
  /** Where a schema checks asynchronously, later creates wait, for the order is that of the calls. */
  #checking: Promise<unknown> | undefined

  constructor(model: Model<TItem, TInput, never>, options: SqsBackendOptions<TItem> = {}) {
    checkBackendOptions(options)
    this.#model = model
    this.#options = options
  }

  /**
   * Sends a message; gives the data when SQS has acknowledged it.
   *
   * @throws ValidationError, InvalidDataError, TypeError for an unknown option, before anything is sent; SqsSendError with
   * SQS's code
   */
  create(data: TInput, options?: SendOptions): Promise<TItem> {
    return this.#track(this.#send(data, { method: 'create', options, give: itemOf<TItem> }))
  }

  /**
   * Sends several messages, in their order. If some fail, the rest is sent all the same, and the first error is thrown
   * when SQS has answered for all. The options are those of each message.
   */
  createMany(list: readonly TInput[], options?: Omit<SendOptions, 'deduplicationId'>): Promise<TItem[]> {
    const sending = { method: 'createMany', options, give: itemOf<TItem> } as const
    const all = list.map((data) => this.#send(data, sending))
    // Done is what has arrived: at the first failure the others are still on their way.
    return this.#track(Promise.allSettled(all).then(() => Promise.all(all)))
  }

  /**
   * Sends a message as `create()` does; gives the ids that SQS has given to it.
   *
   * @throws the same errors
   */
  send(data: TInput, options?: SendOptions): Promise<SentMessage<TItem>> {
    return this.#track(this.#send(data, { method: 'send', options, give: sentMessage<TItem> }))
  }

  /** Remembers what is on its way, for whoever has to wait for it. */
  #track<T>(done: Promise<T>): Promise<T> {
    const sending = new Sending(done)
    const scope = awaitedScope()
    if (scope !== undefined) scope.sends.add(sending)
    this.#open.add(sending)
    const close = (): void => void this.#open.delete(sending)
    // Not of the promise that is given away: an error that nobody handles has to stay one.
    done.then(close, close)
    return sending
  }

  /**
   * Resolves when no message is on its way.
   *
   * @throws the first error of a message that was on its way and that nobody else awaits
   */
  async flush(): Promise<void> {
    let failure: SendFailure | undefined
    while (this.#open.size > 0) {
      const sendings = [...this.#open]
      const failures = await Promise.all(sendings.map((sending) => sending.settled()))
      for (const [index, sending] of sendings.entries()) {
        if (sending.isObserved || failures[index] === undefined) continue
        sending.observe()
        failure ??= failures[index]
      }
    }
    if (failure !== undefined) throw failure.error
  }

  async #send<T>(data: TInput, request: SendRequest<TItem, T>): Promise<T> {
    if (request.options !== undefined) checkSendOptions(request.method, request.options)
    const result = this.#model.schema['~standard'].validate(data)
    // Sent in this very tick where it can be, so that the order is that of the calls.
    if (!(result instanceof Promise) && this.#checking === undefined)
      return this.#sendChecked(result, request)
    // Never fails itself: behind data that cannot be checked, those in front still have their turn first.
    const checked = Promise.allSettled([result, this.#checking])
    this.#checking = checked
    return checked.then(([outcome]) => {
      if (this.#checking === checked) this.#checking = undefined
      // What waits for this one waits until it is on its way, not until it has arrived.
      if (outcome.status === 'fulfilled') return this.#sendChecked(outcome.value, request)
      throw outcome.reason
    })
  }

  async #sendChecked<T>(
    result: StandardSchemaV1.Result<TItem>,
    { options = noSendOptions, give }: SendRequest<TItem, T>,
  ): Promise<T> {
    if (result.issues !== undefined) {
      throw new ValidationError('The data is not valid', { errors: result.issues.map(toInputError) })
    }
    const sender = (this.#sender ??= this.#makeSender())
    const item = result.value
    const body = toBody(item, this.#options.body ?? 'json')
    return give(item, await sender.send(toMessage(body, this.#messageOptions(item, options), this.#fifo)))
  }

  #messageOptions(item: TItem, options: SendOptions): MessageOptions {
    const { groupId, deduplicationId, delaySeconds, attributes } = this.#options
    return {
      groupId: options.groupId ?? groupId?.(item),
      deduplicationId:
        options.deduplicationId ?? (this.#fifo ? deduplicationIdOf(item, deduplicationId) : undefined),
      delaySeconds:
        options.delaySeconds ?? (typeof delaySeconds === 'function' ? delaySeconds(item) : delaySeconds),
      attributes:
        options.attributes === undefined
          ? attributes?.(item)
          : { ...attributes?.(item), ...options.attributes },
      traceHeader: traceHeader(),
    }
  }

  #makeSender(): SqsSender {
    const queueUrl = this.#model.name
    const {
      client,
      maxInFlight = 6,
      linger = 0,
      ordering = 'batch',
      onGroupError = 'stop',
      onUnknown = 'retry',
      logger = defaultLogger,
    } = this.#options
    this.#fifo = queueUrl.endsWith('.fifo')
    return new SqsSender({
      queueUrl,
      port: queuePort(queueUrl, client),
      fifo: this.#fifo,
      maxInFlight,
      linger,
      ordering,
      onGroupError,
      onUnknown,
      onSwallowed: (groupId) => {
        logSafely(
          logger,
          'warn',
          `A message of group "${groupId}" was dropped as the duplicate of one sent with it`,
        )
      },
      onDisorder: (groupId) => {
        logSafely(
          logger,
          'warn',
          `A message of group "${groupId}" failed and was sent again behind a later one`,
        )
      },
    })
  }
}

/** One call that sends. */
interface SendRequest<TItem, T> {
  readonly method: 'create' | 'createMany' | 'send'
  readonly options: SendOptions | undefined
  /** What the call gives when SQS has acknowledged the message. */
  readonly give: (item: TItem, receipt: Receipt) => T
}

const noSendOptions: SendOptions = {}

function itemOf<TItem>(item: TItem): TItem {
  return item
}

function sentMessage<TItem>(data: TItem, { MessageId = '', SequenceNumber }: Receipt): SentMessage<TItem> {
  return { data, messageId: MessageId, ...(SequenceNumber && { sequenceNumber: SequenceNumber }) }
}

function deduplicationIdOf<TItem>(
  item: TItem,
  deduplicationId: SqsBackendOptions<TItem>['deduplicationId'],
): string | undefined {
  if (deduplicationId === undefined) return crypto.randomUUID()
  const scope = recordScope()
  const origin = scope?.recordId ? { messageId: scope.recordId, ordinal: scope.nextOrdinal() } : undefined
  return deduplicationId(item, origin)
}
