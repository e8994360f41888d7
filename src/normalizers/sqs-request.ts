import type { Context, SQSRecord } from 'aws-lambda'
import { PayloadPointerError } from '../errors/index.ts'
import { parseJson } from '../core/json.ts'
import { passForPlainData } from '../core/plain-data.ts'
import { asRecord, asString } from '../core/record.ts'
import { serviceHost } from '../wire/partitions.ts'
import { type MessageAttributeValue, publishedAttributes, typedValue } from './records/message-attributes.ts'
import type { SqsReading, SqsRequestBatch } from './records/sqs-reading.ts'
import {
  type Envelope,
  type PayloadPointer,
  type Unwrapped,
  payloadPointer,
  unwrap,
} from './records/unwrap.ts'

export type { SqsBody } from './records/sqs-reading.ts'

/** A message attribute's value, by its declared type. A number that JavaScript cannot hold exactly stays text. */
export type SqsAttributeValue = MessageAttributeValue

const noEnvelopes: readonly Envelope[] = []
/** In the data's place until that is looked at. */
const unread = Symbol('unread')

/**
 * One record of an SQS batch, as a request. `data` is its body, parsed when it is first looked at.
 *
 * @example
 * ```ts
 * import { type SqsRequest, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(async ({ data, receiveCount }: SqsRequest) => {
 *   console.log('attempt', receiveCount, data)
 * })
 * ```
 */
export class SqsRequest<TData = unknown> {
  readonly kind = 'sqs'
  readonly source = 'sqs'
  /** The record as Lambda sent it. */
  readonly record: SQSRecord
  /** Identifies the record in the batch's answer; kept from before any handler could change the record. */
  readonly messageId: string

  readonly #batch: SqsRequestBatch
  #data: unknown = unread
  #unwrapped: Unwrapped | undefined
  #payload: string | undefined
  #messageAttributes: Record<string, SqsAttributeValue> | undefined

  static {
    passForPlainData(SqsRequest.prototype)
  }

  private constructor(record: SQSRecord, messageId: string, batch: SqsRequestBatch) {
    this.record = record
    this.messageId = messageId
    this.#batch = batch
  }

  /** @internal */
  static of(record: SQSRecord, messageId: string, batch: SqsRequestBatch): SqsRequest {
    return new SqsRequest(record, messageId, batch)
  }

  /** Stays the same when SQS delivers the message again: its `messageId`. */
  get id(): string {
    return this.messageId
  }

  get lambdaContext(): Context {
    return this.#batch.lambdaContext
  }

  /** Aborted when the record should stop, because the function's time is nearly up. */
  get signal(): AbortSignal {
    return this.#batch.signal
  }

  get raw(): SQSRecord {
    return this.record
  }

  get receiptHandle(): string {
    return this.record.receiptHandle
  }

  /** The body as it was sent, or the payload that it points to. */
  text(): string {
    return this.#payload ?? this.record.body
  }

  /**
   * The body, parsed as the option `body` of `sqs()` says, without envelopes if `unwrap` says so.
   * @throws MalformedJsonError, PayloadPointerError
   */
  get data(): TData {
    this.#read()
    return this.#data as TData
  }
  set data(value: TData) {
    this.#data = value
  }

  /** What was around the data, from the outside in: SNS notifications, EventBridge events. Needs `unwrap`. */
  get envelopes(): readonly Envelope[] {
    this.#read()
    return this.#unwrapped?.envelopes ?? noEnvelopes
  }

  #read(): void {
    if (this.#data !== unread) return
    if (this.#payload === undefined) {
      const pointer = payloadPointer(this.record.body)
      if (pointer !== undefined) throw new PayloadPointerError(pointer.bucket, pointer.key)
    }
    const data = this.#parseText(this.text())
    if (this.#batch.reading.unwrap) this.#unwrapped = unwrap(data, (text) => this.#parseText(text))
    this.#data = this.#unwrapped === undefined ? data : this.#unwrapped.data
  }

  #parseText(text: string): unknown {
    const { body } = this.#batch.reading
    if (body === 'json') return parseJson(text, `The body of message ${this.messageId}`)
    return body === 'text' ? text : body(text, this.record)
  }

  /**
   * @internal Reads the record before its handler sees it, so that a malformed body never reaches one. Asynchronous only
   * for a payload elsewhere. Tells whether there is anything to do.
   */
  prepare(): boolean | Promise<boolean> {
    const { resolvePayload } = this.#batch.reading
    const pointer = resolvePayload && payloadPointer(this.record.body)
    if (resolvePayload !== undefined && pointer !== undefined) return this.#load(resolvePayload, pointer)
    this.#read()
    return this.#unwrapped?.isTest !== true
  }

  async #load(
    resolvePayload: NonNullable<SqsReading['resolvePayload']>,
    pointer: PayloadPointer,
  ): Promise<boolean> {
    this.#payload = await resolvePayload(pointer, this.record)
    this.#read()
    return this.#unwrapped?.isTest !== true
  }

  /** How often this message has been received, this time included; 1 at first. */
  get receiveCount(): number {
    return Number(this.attributes['ApproximateReceiveCount'] ?? 1)
  }

  get sentAt(): Date {
    return new Date(Number(this.attributes['SentTimestamp'] ?? NaN))
  }

  /** The message group. Standard queues may have them, too (fair queues); they keep no order. */
  get groupId(): string | undefined {
    return this.attributes['MessageGroupId']
  }

  /** FIFO queues only. */
  get sequenceNumber(): string | undefined {
    return this.attributes['SequenceNumber']
  }

  /** What SQS itself says of the message. */
  get attributes(): Readonly<Record<string, string | undefined>> {
    return (this.record.attributes as unknown as Record<string, string | undefined> | null | undefined) ?? {}
  }

  /**
   * What the sender added to the message, by its declared type; no prototype. Of an unwrapped SNS notification, what the
   * publisher added, which SNS puts into the body.
   */
  get messageAttributes(): Record<string, SqsAttributeValue> {
    return (this.#messageAttributes ??= readMessageAttributes(this.record, this.#outermost()))
  }

  /** A body that cannot be read has no envelope, and its attributes can be read all the same. */
  #outermost(): Envelope | undefined {
    if (!this.#batch.reading.unwrap) return undefined
    try {
      return this.envelopes[0]
    } catch {
      return undefined
    }
  }

  get queueArn(): string {
    return this.record.eventSourceARN
  }

  /** The queue's address in its own region and partition, or at the endpoint that the environment names. */
  get queueUrl(): string {
    const [, partition = 'aws', , region = '', account = '', name = ''] = this.queueArn.split(':')
    const endpoint = process.env['AWS_ENDPOINT_URL_SQS'] ?? process.env['AWS_ENDPOINT_URL']
    const host = endpoint?.replace(/\/+$/, '') ?? `https://${serviceHost('sqs', region, partition)}`
    return `${host}/${account}/${name}`
  }
}

function readMessageAttributes(
  record: SQSRecord,
  envelope: Envelope | undefined,
): Record<string, SqsAttributeValue> {
  const values = publishedAttributes(envelope?.['MessageAttributes'])
  for (const [name, attribute] of Object.entries(asRecord(record.messageAttributes as unknown) ?? {})) {
    // `null` is the same as absent, here and below.
    const { dataType, stringValue, binaryValue } = asRecord(attribute) ?? {}
    if (attribute === null) continue
    values[name] = typedValue(asString(dataType) ?? 'String', {
      text: asString(stringValue) ?? '',
      base64: asString(binaryValue) ?? '',
    })
  }
  return values
}
