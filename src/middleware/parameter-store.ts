import type { Middleware } from '../core/middy.ts'
import { ssmStore } from './secrets/store-ssm.ts'
import type { Fetch, Fetched } from './secrets/declared.ts'
import { type SecretsContext, type SecretsOptions, secretsMiddleware } from './secrets/secrets-middleware.ts'

export type { GetSecretOptions } from './secrets.ts'
export { Secrets } from './secrets.ts'
export type { Fetch, Fetched, FetchedValue } from './secrets/declared.ts'
export type { SecretsContext, SecretsOptions } from './secrets/secrets-middleware.ts'

/**
 * Puts the parameters of Systems Manager's Parameter Store into the context. Needs `@aws-sdk/client-ssm` and the
 * permissions `ssm:GetParameters` and, for SecureStrings under a key of your own, `kms:Decrypt`.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 *
 * export const handler = middy()
 *   .use(httpApi())
 *   .use(parameterStore({ fetch: { greeting: '/shop/greeting' } }))
 *   .handler(async (request, { secrets }) => {
 *     const key = await secrets.get('/shop/api-key') // held for five minutes
 *     return { greeting: secrets.values.greeting, hasKey: key !== '' }
 *   })
 * ```
 */
export function parameterStore<
  const TFetch extends Readonly<Record<string, Fetch>> = {},
  const TAs extends string = 'secrets',
>(options: SecretsOptions<TFetch, TAs> = {}): Middleware<unknown, SecretsContext<Fetched<TFetch>, TAs>> {
  return secretsMiddleware('parameterStore', ssmStore(options.client), options)
}
