import { type UnknownRecord, asRecord } from '../../core/record.ts'
import { PayloadPointerError } from '../../errors/index.ts'

/** What was around the data: an SNS notification or an EventBridge event. */
export type Envelope = UnknownRecord

/** A body without what AWS's services put around it. */
export interface Unwrapped {
  readonly data: unknown
  /** From the outside in. */
  readonly envelopes: readonly Envelope[]
  /** Whether S3 only announces that notifications work: there is nothing to do. */
  readonly isTest: boolean
}

/**
 * Takes the envelopes off a body: the `Message` of an SNS notification, the `detail` of an EventBridge event, one in the
 * other. In S3's notifications the keys, which S3 sends as a form sends them, are decoded.
 *
 * @throws URIError for a key that cannot be decoded
 */
export function unwrap(body: unknown, parse: (text: string) => unknown): Unwrapped {
  const envelopes: Envelope[] = []
  let data = body
  for (let depth = 0; depth < 3; depth++) {
    const event = asRecord(data)
    if (event === undefined) break
    if (
      event['Type'] === 'Notification' &&
      typeof event['Message'] === 'string' &&
      typeof event['TopicArn'] === 'string'
    ) {
      data = parse(event['Message'])
    } else if (
      typeof event['detail-type'] === 'string' &&
      typeof event['source'] === 'string' &&
      'detail' in event
    ) {
      data = event['detail']
    } else break
    envelopes.push(event)
  }
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
  const isTest = asRecord(data)?.['Event'] === 's3:TestEvent'
  return { data: decodeKeys(data), envelopes, isTest }
}

function decodeKeys(data: unknown): unknown {
  const records = asRecord(data)?.['Records']
  if (!Array.isArray(records) || !records.every((record) => asRecord(asRecord(record)?.['s3'])?.['object']))
    return data
  return {
    ...(data as UnknownRecord),
    Records: (records as (UnknownRecord & { s3: UnknownRecord & { object: { key: string } } })[]).map(
      (record) => {
        const key = decodeURIComponent(record.s3.object.key.replaceAll('+', ' '))
        return { ...record, s3: { ...record.s3, object: { ...record.s3.object, key } } }
      },
    ),
  }
}

/** Where a payload is that was too large for the queue. */
export interface PayloadPointer {
  readonly bucket: string
  readonly key: string
}

const pointerClass =
  /^\["(?:software\.amazon\.payloadoffloading\.PayloadS3Pointer|com\.amazon\.sqs\.javamessaging\.MessageS3Pointer)"/

/** The pointer that the extended client libraries put in a body's place. */
export function payloadPointer(body: string): PayloadPointer | undefined {
  if (!pointerClass.test(body)) return undefined
  try {
    const [, pointer] = JSON.parse(body) as [string, { s3BucketName?: unknown; s3Key?: unknown }]
    return { bucket: String(pointer.s3BucketName), key: String(pointer.s3Key) }
  } catch {
    throw new PayloadPointerError('', '')
  }
}
