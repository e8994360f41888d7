import type * as sdk from '@aws-sdk/client-kinesis'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** The service of Kinesis data streams. */
export const kinesisStreams: Service<typeof sdk> = service(
  'kinesis',
  lazyImport('@aws-sdk/client-kinesis', () => import('@aws-sdk/client-kinesis').catch(atRunTime)),
  ({ KinesisClient }, config) => new KinesisClient(config),
)
