import { isSnsNotification, snsRecordOf } from '../../wire/sns-notification.ts'
import { EventBridgeRequest } from '../event-bridge.ts'
import { S3Request } from '../s3-request.ts'
import { SnsRequest } from '../sns.ts'
import type { BatchScope } from './record-request.ts'
import type { Unwrap, UnwrapSource } from './sqs-reading.ts'
import { objectIdOf } from './s3-key.ts'
import { type Unwrapped, isEventBridgeEvent, isS3Notification } from './unwrap.ts'

/** What `unwrapped` is for each source that `unwrap` can name: the requests of its own normalizer. */
export interface UnwrappedRequests extends Record<UnwrapSource, object> {
  readonly sns: SnsRequest
  readonly 'event-bridge': EventBridgeRequest
  /** One for each object. */
  readonly s3: readonly S3Request[]
}

/** What `unwrapped` is. Unknown where `unwrap` names no source. */
export type UnwrappedAs<TUnwrap extends Unwrap> = [TUnwrap] extends [UnwrapSource]
  ? UnwrappedRequests[TUnwrap]
  : unknown

/** Makes the requests, each with its source's own reader. Gives `undefined` of what is of another source. */
export const unwrappedAs: Readonly<
  Record<UnwrapSource, (unwrapped: Unwrapped, scope: BatchScope) => object | undefined>
> = {
  sns({ envelopes }, batch) {
    for (const envelope of envelopes)
      if (isSnsNotification(envelope))
        return SnsRequest.of(snsRecordOf(envelope), { id: envelope.MessageId, batch, body: 'auto' })
    return undefined
  },
  'event-bridge'({ envelopes }, { lambdaContext }) {
    const event = envelopes.find(isEventBridgeEvent)
    return event && EventBridgeRequest.of(event, lambdaContext)
  },
  s3({ sent }, batch) {
    return isS3Notification(sent)
      ? sent.Records.map((record) => S3Request.of(record, { id: objectIdOf(record) ?? '', batch }))
      : undefined
  },
}
