import type { S3EventRecord, SQSRecord } from 'aws-lambda'
import { parseIfJson, parseJson } from '../../core/json.ts'
import { type UnknownRecord, asRecord } from '../../core/record.ts'
import { whenReady } from '../../core/thenable.ts'
import { ConfigurationError, PayloadPointerError } from '../../errors/index.ts'
import { isSnsNotification } from '../../wire/sns-notification.ts'
import { type PayloadPointer, payloadPointer } from './payload-pointer.ts'
import type { SqsReading } from './sqs-reading.ts'

/** What was around the data: an SNS notification or an EventBridge event. */
export type WrappedMessage = UnknownRecord

/** A body without what AWS's services put around it. */
export interface Unwrapped {
  /** The text that the body points to, where it is a pointer. */
  readonly payload: string | undefined
  readonly data: unknown
  /** The same with the keys of S3 as they were sent. */
  readonly sent: unknown
  /** From the outside in. */
  readonly envelopes: readonly WrappedMessage[]
  /** Whether S3 only announces that notifications work: there is nothing to do. */
  readonly isTest: boolean
}

type Ready<T> = T | PromiseLike<T>

const mostEnvelopes = 3
const mostPointers = 3

/**
 * Reads one body: follows the pointers to payloads elsewhere, takes the envelopes off, the `Message` of an SNS
 * notification and the `detail` of an EventBridge event, one in the other, and parses what is left. Asynchronous only
 * where a function of the user's is.
 */
export class BodyReader {
  readonly #record: SQSRecord
  readonly #id: string
  readonly #reading: SqsReading
  readonly #envelopes: WrappedMessage[] = []
  #pointers = 0
  #payload: string | undefined

  constructor(record: SQSRecord, id: string, reading: SqsReading) {
    this.#record = record
    this.#id = id
    this.#reading = reading
  }

  /**
   * @throws MalformedJsonError, PayloadPointerError
   * @throws URIError for a key of S3's that cannot be decoded
   */
  read(): Ready<Unwrapped> {
    return this.#open(this.#record.body)
  }

  #open(text: string): Ready<Unwrapped> {
    if (typeof text !== 'string')
      throw new ConfigurationError(
        `The body of message ${this.#id} is not text: leave out the middleware in front that parses it`,
      )
    const pointer = payloadPointer(text)
    if (pointer !== undefined) return this.#follow(pointer)
    const { body, unwrap } = this.#reading
    if (!unwrap) return whenReady(this.#parse(text), (data) => this.#result(data))
    // The envelope is AWS's own JSON, whatever the body inside it is.
    const envelope =
      body !== 'json' && /"(?:TopicArn|detail-type)"/.test(text) ? parseIfJson(text) : undefined
    if (contentOf(envelope) !== undefined) return this.#takeOff(envelope)
    return whenReady(this.#parse(text), (data) => this.#takeOff(data))
  }

  #follow(pointer: PayloadPointer): Ready<Unwrapped> {
    const { resolvePayload } = this.#reading
    if (resolvePayload === undefined || ++this.#pointers > mostPointers)
      throw new PayloadPointerError(pointer.bucket, pointer.key)
    return whenReady(resolvePayload(pointer, this.#record), (payload) => {
      if (this.#envelopes.length === 0) this.#payload = payload
      return this.#open(payload)
    })
  }

  /** A message inside an envelope may be plain text, as some of AWS's services publish; half an object is none. */
  #parse(text: string): unknown {
    const { body } = this.#reading
    if (body === 'text') return text
    if (typeof body === 'function') return body(text, this.#record)
    const isPlainText = this.#envelopes.length > 0 && !/^\s*\{/.test(text)
    return isPlainText ? parseIfJson(text) : parseJson(text, `The body of message ${this.#id}`)
  }

  #takeOff(data: unknown): Ready<Unwrapped> {
    const content = this.#envelopes.length < mostEnvelopes ? contentOf(data) : undefined
    if (content === undefined) return this.#result(data)
    this.#envelopes.push(content.envelope)
    return content.text === undefined ? this.#takeOff(content.detail) : this.#open(content.text)
  }

  #result(data: unknown): Unwrapped {
    const common = { payload: this.#payload, sent: data, envelopes: this.#envelopes }
    if (this.#reading.unwrap === false) return { ...common, data, isTest: false }
    return { ...common, data: decodeKeys(data), isTest: isTestMessage(data) }
  }
}

interface Content {
  readonly envelope: WrappedMessage
  /** Of an SNS notification. */
  readonly text?: string
  /** Of an EventBridge event. */
  readonly detail?: unknown
}

/** What is in an envelope; `undefined` of what is none. */
function contentOf(data: unknown): Content | undefined {
  const envelope = asRecord(data)
  if (envelope === undefined) return undefined
  if (isSnsNotification(data)) return { envelope, text: data.Message }
  if (!isEventBridgeEvent(envelope)) return undefined
  const { detail } = envelope
  // EventBridge Scheduler sends it as text.
  return { envelope, detail: typeof detail === 'string' ? parseIfJson(detail) : detail }
}

/** Whether it is what EventBridge sends to a queue. */
export function isEventBridgeEvent(envelope: UnknownRecord): boolean {
  return (
    typeof envelope['detail-type'] === 'string' &&
    typeof envelope['source'] === 'string' &&
    'detail' in envelope
  )
}

const testMembers = ['Bucket', 'Event', 'HostId', 'RequestId', 'Service', 'Time']

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
function isTestMessage(data: unknown): boolean {
  const { Service, Event } = asRecord(data) ?? {}
  return (
    Service === 'Amazon S3' &&
    Event === 's3:TestEvent' &&
    Object.keys(data ?? {})
      .toSorted()
      .join() === testMembers.join()
  )
}

/** What S3 sends to a queue. */
interface S3Notification extends UnknownRecord {
  readonly Records: readonly S3EventRecord[]
}

/** Whether a parsed body is a notification of S3. */
export function isS3Notification(data: unknown): data is S3Notification {
  const records = asRecord(data)?.['Records']
  return Array.isArray(records) && records.every((record) => asRecord(asRecord(record)?.['s3'])?.['object'])
}

/** In S3's notifications the keys are encoded as a form sends them. */
function decodeKeys(data: unknown): unknown {
  if (!isS3Notification(data)) return data
  return {
    ...data,
    Records: data.Records.map((record) => {
      const key = decodeURIComponent(record.s3.object.key.replaceAll('+', ' '))
      return { ...record, s3: { ...record.s3, object: { ...record.s3.object, key } } }
    }),
  }
}
