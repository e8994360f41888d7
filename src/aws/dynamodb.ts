import type * as sdk from '@aws-sdk/client-dynamodb'
import { lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** A logger with an `info` would make the client copy every response for it, and by default it has an empty one. */
const quiet = { trace() {}, debug() {}, warn() {} }

function quietly(config: object): object {
  return { ...config, logger: quiet }
}

/** Tables. */
export const dynamodb: Service<typeof sdk> = service(
  lazyImport('@aws-sdk/client-dynamodb', () => import('@aws-sdk/client-dynamodb')),
  ({ DynamoDBClient }, config) => new DynamoDBClient(quietly(config)),
)
