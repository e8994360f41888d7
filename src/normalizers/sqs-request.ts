import type { Context, SQSRecord } from 'aws-lambda'
import { parseJson } from '../json.ts'
import { emptyMap } from './headers.ts'

/** What a record's body is: JSON, text as it stands, or what a function makes of it. */
export type SqsBody = 'json' | 'text' | ((text: string, record: SQSRecord) => unknown)

/** A message attribute's value, by its declared type. A number that JavaScript cannot hold exactly stays text. */
export type SqsAttributeValue = string | number | Uint8Array

/** The domain names of AWS's partitions. https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const partitionDomains: Readonly<Record<string, string>> = {
  'aws-cn': 'amazonaws.com.cn',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
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
export class SqsRequest<TData = unknown> {
  readonly kind = 'sqs'
  readonly source = 'sqs'
  /** The record as Lambda sent it. */
  readonly record: SQSRecord
  readonly lambdaContext: Context
  /** Identifies the record in the batch's answer; kept from before any handler could change the record. */
  readonly messageId: string
  readonly receiptHandle: string
  /** Aborted when the record should stop, because the function's time is nearly up. */
  readonly signal: AbortSignal

  readonly #body: SqsBody
  #data: { readonly value: unknown } | undefined
  #messageAttributes: Record<string, SqsAttributeValue> | undefined

  /** @internal */
  constructor(record: SQSRecord, lambdaContext: Context, body: SqsBody, signal: AbortSignal) {
    this.record = record
    this.lambdaContext = lambdaContext
    this.messageId = record.messageId
    this.receiptHandle = record.receiptHandle
    this.signal = signal
    this.#body = body
  }

  get raw(): SQSRecord {
    return this.record
  }

  /** The body as it was sent. */
  text(): string {
    return this.record.body
  }

  /**
   * The body, parsed as the option `body` of `sqs()` says.
   * @throws MalformedJsonError
   */
  get data(): TData {
    this.parse()
    return this.#data?.value as TData
  }
  set data(value: TData) {
    this.#data = { value }
  }

  /** @internal */
  parse(): void {
    this.#data ??= { value: this.#parsed() }
  }

  #parsed(): unknown {
    if (this.#body === 'text') return this.text()
    return this.#body === 'json'
      ? parseJson(this.text(), `The body of message ${this.messageId}`)
      : this.#body(this.text(), this.record)
  }

  /** How often this message has been received, this time included; 1 at first. */
  get receiveCount(): number {
    return Number(this.#attribute('ApproximateReceiveCount') ?? 1)
  }

  get sentAt(): Date {
    return new Date(Number(this.#attribute('SentTimestamp') ?? NaN))
  }

  /** The message group. Standard queues may have them, too (fair queues); they keep no order. */
  get groupId(): string | undefined {
    return this.#attribute('MessageGroupId')
  }

  /** FIFO queues only. */
  get sequenceNumber(): string | undefined {
    return this.#attribute('SequenceNumber')
  }

  /** What SQS itself says of the message. */
  get attributes(): Readonly<Record<string, string | undefined>> {
    return (this.record.attributes as unknown as Record<string, string | undefined> | null) ?? {}
  }

  #attribute(name: string): string | undefined {
    return this.attributes[name] ?? undefined
  }

  /** What the sender added to the message, by its declared type; no prototype. */
  get messageAttributes(): Record<string, SqsAttributeValue> {
    return (this.#messageAttributes ??= readMessageAttributes(this.record))
  }

  get queueArn(): string {
    return this.record.eventSourceARN
  }

  /** The queue's address in its own region and partition. */
  get queueUrl(): string {
    const [, partition = 'aws', , region = '', account = '', name = ''] = this.queueArn.split(':')
    return `https://sqs.${region}.${partitionDomains[partition] ?? 'amazonaws.com'}/${account}/${name}`
  }
}

function readMessageAttributes(record: SQSRecord): Record<string, SqsAttributeValue> {
  const values = emptyMap<SqsAttributeValue>()
  for (const [name, attribute] of Object.entries(
    (record.messageAttributes as SQSRecord['messageAttributes'] | null | undefined) ?? {},
  )) {
    const { dataType, stringValue, binaryValue } = attribute
    const type = dataType.split('.', 1)[0]
    if (type === 'Binary') values[name] = Buffer.from(binaryValue ?? '', 'base64')
    else values[name] = type === 'Number' ? exactNumber(stringValue ?? '') : (stringValue ?? '')
  }
  return values
}

function exactNumber(text: string): number | string {
  const number = Number(text)
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number))
    ? number
    : text
}
