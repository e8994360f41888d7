import type * as sdk from '@aws-sdk/client-dynamodb'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** A logger without `info`. With `info`, which the default logger has, the client copies every response for it. */
const silentLogger = { trace() {}, debug() {}, warn() {} }

function quietly(config: object): object {
  return { ...config, logger: silentLogger }
}

/** The service of tables. */
export const dynamodb: Service<typeof sdk> = service(
  'dynamodb',
  lazyImport('@aws-sdk/client-dynamodb', () => import('@aws-sdk/client-dynamodb').catch(atRunTime)),
  ({ DynamoDBClient }, config) => new DynamoDBClient(quietly(config)),
)
