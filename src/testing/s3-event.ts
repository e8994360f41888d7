import type { S3Event, S3EventRecord } from 'aws-lambda'
import { accountId, region } from './described-request.ts'

/** What happened to an object, as a test describes it. */
export interface DescribedObject {
  /** As it was put; the event has it encoded as a form does. */
  readonly key: string
  /** @default 'uploads' */
  readonly bucket?: string
  /** @default 'ObjectCreated:Put' */
  readonly eventName?: string
  /** Bytes. @default 5; none of an object that was removed */
  readonly size?: number
  /** @default that of `hello`; none of an object that was removed */
  readonly eTag?: string
  readonly versionId?: string
  /** @default greater with every object of the event */
  readonly sequencer?: string
}

/**
 * The event that S3 sends of objects.
 *
 * @example
 * ```ts
 * import { s3Event } from 'clearskies-middy/testing'
 *
 * export const event = s3Event([{ key: 'letters/to you.txt' }, { key: 'old.txt', eventName: 'ObjectRemoved:Delete' }])
 * ```
 */
export function s3Event(objects: readonly DescribedObject[]): S3Event {
  return { Records: objects.map(toRecord) }
}

function toRecord(described: DescribedObject, index: number): S3EventRecord {
  const { key, bucket = 'uploads', eventName = 'ObjectCreated:Put', versionId } = described
  const left = { size: 5, eTag: '5d41402abc4b2a76b9719d911017c592' }
  const { size, eTag } = eventName.startsWith('ObjectRemoved') ? described : { ...left, ...described }
  const object = {
    // As `URLSearchParams` has it: a space is a plus.
    key: new URLSearchParams({ key }).toString().slice('key='.length).replaceAll('%2F', '/'),
    ...(size !== undefined && { size }),
    ...(eTag !== undefined && { eTag }),
    ...(versionId !== undefined && { versionId }),
    sequencer: described.sequencer ?? `0065A1${index.toString(16).toUpperCase().padStart(10, '0')}`,
  }
  return {
    eventVersion: '2.6',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: new Date(1_773_100_000_000 + index).toISOString(),
    eventName,
    userIdentity: { principalId: 'EXAMPLE' },
    requestParameters: { sourceIPAddress: '203.0.113.7' },
    responseElements: { 'x-amz-request-id': `EXAMPLE${index}`, 'x-amz-id-2': 'EXAMPLE' },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'uploads',
      bucket: { name: bucket, ownerIdentity: { principalId: accountId }, arn: `arn:aws:s3:::${bucket}` },
      object: object as S3EventRecord['s3']['object'],
    },
  }
}
