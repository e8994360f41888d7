import type * as sdk from '@aws-sdk/client-apigatewaymanagementapi'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** The service that sends to the connections of a WebSocket API. */
export const managementApi: Service<typeof sdk> = service(
  'apigatewaymanagementapi',
  lazyImport('@aws-sdk/client-apigatewaymanagementapi', () =>
    import('@aws-sdk/client-apigatewaymanagementapi').catch(atRunTime),
  ),
  ({ ApiGatewayManagementApiClient }, config) => new ApiGatewayManagementApiClient(config),
)
