import { type ClientOption, isClientOption } from '../../aws/client.ts'
import type { Logger } from '../../core/logger.ts'
import { checkOptions, is, isLogger, oneOf } from '../../core/options.ts'
import type { MessageAttributes } from './attributes.ts'
import { type MessageBody, isMessageBody } from './body.ts'

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
   * How data becomes the body: `json`; `text` for data that is a string; `base64` for data that is bytes; or a function
   * that writes it. `sqs({ body })` reads it.
   * @default 'json'
   */
  readonly body?: MessageBody<TItem>
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

/** Options of one message. They stand above those of the backend. */
export interface SendOptions {
  /** The message group: at most 128 characters. */
  readonly groupId?: string
  /** FIFO queues only: what makes two messages within five minutes one. At most 128 characters. */
  readonly deduplicationId?: string
  /** Seconds for which the message is hidden at first, 0 to 900; not on FIFO queues. */
  readonly delaySeconds?: number
  /** Added to what the backend's option gives; at most 10 in all. */
  readonly attributes?: MessageAttributes
}

/** A message that SQS has acknowledged. */
export interface SentMessage<TItem = unknown> {
  readonly data: TItem
  /** The id under which its consumer sees it. */
  readonly messageId: string
  /** Its place among the messages of its group; FIFO queues only. */
  readonly sequenceNumber?: string
}

/** @throws TypeError */
export function checkBackendOptions(options: object): void {
  checkOptions('SqsBackend', options, {
    client: isClientOption,
    groupId: is('function'),
    deduplicationId: is('function'),
    delaySeconds: (value: unknown) =>
      typeof value === 'function' || (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 900),
    attributes: is('function'),
    body: isMessageBody,
    ordering: oneOf('strict', 'batch'),
    onGroupError: oneOf('stop', 'continue'),
    onUnknown: oneOf('retry', 'reject'),
    maxInFlight: (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0,
    linger: (value: unknown) => typeof value === 'number' && value >= 0,
    logger: isLogger,
  })
}

const ofOne = {
  groupId: is('string'),
  deduplicationId: is('string'),
  delaySeconds: is('number'),
  attributes: (value: unknown) => typeof value === 'object' && value !== null,
}
const { deduplicationId: _onlyOne, ...ofMany } = ofOne

/**
 * Checks the options of one message, or of several: an id for deduplication would make these one.
 *
 * @throws TypeError
 */
export function checkSendOptions(method: 'create' | 'createMany' | 'send', options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${method}(): the options of a message are an object`)
  checkOptions(method, options, method === 'createMany' ? ofMany : ofOne)
}
