import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type ClientOption, isClientOption } from '../aws/client.ts'
import { ValidationError } from '../errors/index.ts'
import { type Logger, defaultLogger, logSafely } from '../core/logger.ts'
import { checkOptions, is, isLogger, oneOf } from '../core/options.ts'
import { awaitedScope, recordScope } from '../invocation/scope.ts'
import { type SendFailure, Sending } from '../invocation/sends.ts'
import { toInputError } from '../core/standard-schema.ts'
import type { Creates } from './capabilities.ts'
import type { Model } from './model.ts'
import { queuePort } from '../aws/sqs.ts'
import { type MessageAttributes, toMessage } from './sending/message.ts'
import { SqsSender } from './sending/sender.ts'

export type { MessageAttributes } from './sending/message.ts'

/** The record whose handler sends a message. */
export interface SendOrigin {
  readonly messageId: string
  /**
   * How many messages the record has sent before. A record that comes again sends its messages again: by this number they
   * can be told from new ones, as long as its handler sends them in the same order.
   */
  readonly ordinal: number
}

/** Options of {@link SqsBackend}. */
export interface SqsBackendOptions<TItem = unknown> {
  /** An `SQSClient`, or anything else with its `send`, or a function that gives one. @default one per region and process */
  readonly client?: ClientOption
  /** The message group: required on FIFO queues, for fair queues otherwise. At most 128 characters. */
  readonly groupId?: (data: TItem) => string
  /**
   * On FIFO queues, what makes two messages within five minutes one; `undefined` leaves it to the queue's content-based
   * deduplication, which looks at the body alone. It stays the same when a message is sent again. Inside `eachRecord()`,
   * `origin` tells the record that sends and how many it has sent before: an id made of these two lets a record that comes
   * again send nothing twice.
   * @default a new id for each message
   */
  readonly deduplicationId?: (data: TItem, origin: SendOrigin | undefined) => string | undefined
  /** Seconds for which the message is hidden at first, 0 to 900; not on FIFO queues. */
  readonly delaySeconds?: number | ((data: TItem) => number)
  /** What to send beside the body; at most 10. */
  readonly attributes?: (data: TItem) => MessageAttributes
  /**
   * How closely a FIFO group's order is kept. In a request with several messages of a group, one may fail and a later
   * one pass: `strict` puts at most one message of a group into a request, `batch` takes the risk and tells the logger.
   * @default 'batch'
   */
  readonly ordering?: 'strict' | 'batch'
  /** Whether the waiting rest of a FIFO group is rejected with a message that SQS will never take. @default 'stop' */
  readonly onGroupError?: 'stop' | 'continue'
  /**
   * What to do when the network fails and a message may have arrived: send it again, which a FIFO queue recognizes and a
   * standard queue delivers twice, or reject it. The AWS client itself tries again, too, unless it has `maxAttempts: 1`.
   * @default 'retry'
   */
  readonly onUnknown?: 'retry' | 'reject'
  /** Requests on their way at once. @default 6 */
  readonly maxInFlight?: number
  /** Milliseconds to wait for more messages to share a request. @default 0: those of one tick share */
  readonly linger?: number
  /** @default console */
  readonly logger?: Logger
}

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
 * import { z } from 'zod'
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
    checkOptions('SqsBackend', options, {
      client: isClientOption,
      groupId: is('function'),
      deduplicationId: is('function'),
      delaySeconds: (value: unknown) =>
        typeof value === 'function' ||
        (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 900),
      attributes: is('function'),
      ordering: oneOf('strict', 'batch'),
      onGroupError: oneOf('stop', 'continue'),
      onUnknown: oneOf('retry', 'reject'),
      maxInFlight: (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0,
      linger: (value: unknown) => typeof value === 'number' && value >= 0,
      logger: isLogger,
    })
    this.#model = model
    this.#options = options
  }

  /**
   * Sends a message; gives the data when SQS has acknowledged it.
   *
   * @throws ValidationError, InvalidDataError before anything is sent; SqsSendError with SQS's code
   */
  create(data: TInput): Promise<TItem> {
    return this.#track(this.#create(data))
  }

  /**
   * Sends several messages, in their order. If some fail, the rest is sent all the same, and the first error is thrown
   * when SQS has answered for all.
   */
  createMany(list: readonly TInput[]): Promise<TItem[]> {
    const all = list.map((data) => this.#create(data))
    // Done is what has arrived: at the first failure the others are still on their way.
    return this.#track(Promise.allSettled(all).then(() => Promise.all(all)))
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

  async #create(data: TInput): Promise<TItem> {
    const result = this.#model.schema['~standard'].validate(data)
    // Sent in this very tick where it can be, so that the order is that of the calls.
    if (!(result instanceof Promise) && this.#checking === undefined) return this.#sendChecked(result)
    // Never fails itself: behind data that cannot be checked, those in front still have their turn first.
    const checked = Promise.allSettled([result, this.#checking])
    this.#checking = checked
    return checked.then(([outcome]) => {
      if (this.#checking === checked) this.#checking = undefined
      // What waits for this one waits until it is on its way, not until it has arrived.
      if (outcome.status === 'fulfilled') return this.#sendChecked(outcome.value)
      throw outcome.reason
    })
  }

  async #sendChecked(result: StandardSchemaV1.Result<TItem>): Promise<TItem> {
    if (result.issues !== undefined) {
      throw new ValidationError('The data is not valid', { errors: result.issues.map(toInputError) })
    }
    const sender = (this.#sender ??= this.#makeSender())
    const { groupId, deduplicationId, delaySeconds, attributes } = this.#options
    const item = result.value
    const message = toMessage(
      item,
      {
        groupId: groupId?.(item),
        deduplicationId: this.#fifo ? idOf(item, deduplicationId) : undefined,
        delaySeconds: typeof delaySeconds === 'function' ? delaySeconds(item) : delaySeconds,
        attributes: attributes?.(item),
      },
      this.#fifo,
    )
    await sender.send(message)
    return item
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

function idOf<TItem>(
  item: TItem,
  deduplicationId: SqsBackendOptions<TItem>['deduplicationId'],
): string | undefined {
  if (deduplicationId === undefined) return crypto.randomUUID()
  const scope = recordScope()
  const origin = scope?.recordId ? { messageId: scope.recordId, ordinal: scope.nextOrdinal() } : undefined
  return deduplicationId(item, origin)
}
