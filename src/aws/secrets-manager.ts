import type * as sdk from '@aws-sdk/client-secrets-manager'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** The service of secrets. */
export const secretsManager: Service<typeof sdk> = service(
  'secretsmanager',
  lazyImport('@aws-sdk/client-secrets-manager', () =>
    import('@aws-sdk/client-secrets-manager').catch(atRunTime),
  ),
  ({ SecretsManagerClient }, config) => new SecretsManagerClient(config),
)
