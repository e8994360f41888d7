import type * as sdk from '@aws-sdk/client-ssm'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** The service of parameters, and of sessions with instances. */
export const ssm: Service<typeof sdk> = service(
  'ssm',
  lazyImport('@aws-sdk/client-ssm', () => import('@aws-sdk/client-ssm').catch(atRunTime)),
  ({ SSMClient }, config) => new SSMClient(config),
)
