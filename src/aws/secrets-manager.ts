import type * as sdk from '@aws-sdk/client-secrets-manager'
import { lazyImport } from '../core/optional-import.ts'
import { type Service, service } from './port.ts'

/** The service of secrets. */
export const secretsManager: Service<typeof sdk> = service(
  lazyImport('@aws-sdk/client-secrets-manager', () => import('@aws-sdk/client-secrets-manager')),
  ({ SecretsManagerClient }, config) => new SecretsManagerClient(config),
)
