import type { Middleware } from '../core/middy.ts'
import { secretsManagerStore } from './secrets/store-secrets-manager.ts'
import type { Fetch, Fetched } from './secrets/declared.ts'
import { type SecretsContext, type SecretsOptions, secretsMiddleware } from './secrets/secrets-middleware.ts'

export type { GetSecretOptions } from './secrets.ts'
export { Secrets } from './secrets.ts'
export type { Fetch, Fetched, FetchedValue } from './secrets/declared.ts'
export type { SecretsContext, SecretsOptions } from './secrets/secrets-middleware.ts'

/**
 * Puts the secrets of Secrets Manager into the context. Needs `@aws-sdk/client-secrets-manager` and the permissions
 * `secretsmanager:GetSecretValue`, for several at once `secretsmanager:BatchGetSecretValue`, and for secrets under a key
 * of your own `kms:Decrypt`.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
 * import { invocation } from 'clearskies-middy/normalizers/invocation'
 *
 * export const handler = middy()
 *   .use(invocation())
 *   .use(secretsManager({ fetch: { user: 'shop/database#username' } }))
 *   .handler(async (request, { secrets }) => secrets.values.user)
 * ```
 */
export function secretsManager<
  const TFetch extends Readonly<Record<string, Fetch>> = {},
  const TAs extends string = 'secrets',
>(options: SecretsOptions<TFetch, TAs> = {}): Middleware<unknown, SecretsContext<Fetched<TFetch>, TAs>> {
  return secretsMiddleware('secretsManager', secretsManagerStore(options.client), options)
}
