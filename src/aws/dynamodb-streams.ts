import type * as sdk from '@aws-sdk/client-dynamodb-streams'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** The service of the streams that DynamoDB's tables have. */
export const dynamodbStreams: Service<typeof sdk> = service(
  'dynamodb-streams',
  lazyImport('@aws-sdk/client-dynamodb-streams', () =>
    import('@aws-sdk/client-dynamodb-streams').catch(atRunTime),
  ),
  ({ DynamoDBStreamsClient }, config) => new DynamoDBStreamsClient(config),
)
