import type { SQSRecord } from 'aws-lambda'
import { parseJson } from '../core/json.ts'
import { asRecord, asString } from '../core/record.ts'
import { ConfigurationError } from '../errors/index.ts'
import { whenReady } from '../core/thenable.ts'
import { serviceHost } from '../wire/partitions.ts'
import { type MessageAttributeValue, publishedAttributes, typedValue } from './records/message-attributes.ts'
import { ParsedRequest, type ParsedRequestParts } from './records/parsed-request.ts'
import { payloadPointer } from './records/payload-pointer.ts'
import type { SqsReading } from './records/sqs-reading.ts'
import { unwrappedAs } from './records/unwrapped-as.ts'
import { BodyReader, type WrappedMessage, type Unwrapped } from './records/unwrap.ts'

export type { SqsBody } from './records/sqs-reading.ts'

/** A message attribute's value, by its declared type. A number that JavaScript cannot hold exactly stays text. */
export type SqsAttributeValue = MessageAttributeValue

const noEnvelopes: readonly WrappedMessage[] = []

/** What a request is made from, beside its record. */
interface SqsRequestParts extends ParsedRequestParts {
  readonly reading: SqsReading
}

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
export class SqsRequest<TData = unknown, TUnwrapped = unknown> extends ParsedRequest<SQSRecord, TData> {
  readonly kind = 'sqs'
  readonly source = 'sqs'
  /** Identifies the record in the batch's answer, the same as `id`; kept from before any handler could change the record. */
  readonly messageId: string

  readonly #reading: SqsReading
  #unwrapped: Unwrapped | undefined
  #ofSource: unknown
  #messageAttributes: Record<string, SqsAttributeValue> | undefined

  private constructor(record: SQSRecord, parts: SqsRequestParts) {
    super(record, parts)
    this.messageId = parts.id
    this.#reading = parts.reading
  }

  /** @internal */
  static of<TUnwrapped>(record: SQSRecord, parts: SqsRequestParts): SqsRequest<unknown, TUnwrapped> {
    return new SqsRequest(record, parts)
  }

  get receiptHandle(): string {
    return this.record.receiptHandle
  }

  // Getters, so that `const { text } = request` gives a function that works.

  /** Gives the body as it was sent, or the payload that it points to. */
  get text(): () => string {
    return () => this.#unwrapped?.payload ?? this.record.body
  }

  /** Gives the body's bytes. */
  get bytes(): () => Uint8Array {
    return () => Buffer.from(this.text())
  }

  /** What was around the data, from the outside in: SNS notifications, EventBridge events. Needs `unwrap`. */
  get envelopes(): readonly WrappedMessage[] {
    if (this.#reading.unwrap) this.ensureRead()
    return this.#unwrapped?.envelopes ?? noEnvelopes
  }

  /**
   * The message as the normalizer of its own source gives it, where `unwrap` names that source: an `SnsRequest`, an
   * `EventBridgeRequest`, or an `S3Request` for each object.
   */
  get unwrapped(): TUnwrapped {
    this.ensureRead()
    return this.#ofSource as TUnwrapped
  }

  protected override get hasWork(): boolean {
    return this.#unwrapped?.isTest !== true
  }

  protected override read(): unknown {
    const { body } = this.record
    // By far the most bodies; a batch can have 10,000.
    if (this.#isPlain(body)) return parseJson(body, `The body of message ${this.id}`)
    return whenReady(new BodyReader(this.record, this.id, this.#reading).read(), (unwrapped) => {
      this.#unwrapped = unwrapped
      this.#ofSource = this.#requestOf(unwrapped)
      return unwrapped.data
    })
  }

  #requestOf(unwrapped: Unwrapped): object | undefined {
    const { unwrap } = this.#reading
    if (typeof unwrap === 'boolean' || unwrapped.isTest) return undefined
    const request = unwrappedAs[unwrap](unwrapped, this)
    if (request !== undefined) return request
    throw new ConfigurationError(
      `The body of message ${this.id} is not what sqs({ unwrap: '${unwrap}' }) is for`,
    )
  }

  #isPlain(text: string): boolean {
    const { body, unwrap } = this.#reading
    return !unwrap && body === 'json' && typeof text === 'string' && payloadPointer(text) === undefined
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
  #outermost(): WrappedMessage | undefined {
    if (!this.#reading.unwrap) return undefined
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
  envelope: WrappedMessage | undefined,
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
