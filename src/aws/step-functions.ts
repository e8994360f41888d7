import type * as sdk from '@aws-sdk/client-sfn'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** The service of state machines. */
export const stepFunctions: Service<typeof sdk> = service(
  'sfn',
  lazyImport('@aws-sdk/client-sfn', () => import('@aws-sdk/client-sfn').catch(atRunTime)),
  ({ SFNClient }, config) => new SFNClient(config),
)
