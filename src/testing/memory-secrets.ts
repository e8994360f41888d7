import { SecretAlreadyExistsError, SecretNotFoundError } from '../errors/index.ts'
import type { SecretStore, SecretValue } from '../middleware/secrets/store.ts'
import {
  type SecretsContext,
  type SecretsOptions,
  secretsMiddleware,
} from '../middleware/secrets/secrets-middleware.ts'
import type { Middleware } from '../core/middy.ts'

/** Options of {@link memorySecrets}. */
export type MemorySecretsOptions<TFetch extends Readonly<Record<string, string>>, TAs extends string> = Pick<
  SecretsOptions<TFetch, TAs>,
  'fetch' | 'as' | 'ttl'
>

/**
 * Stands for `parameterStore()` or `secretsManager()` in tests: the same secrets, held in memory. No AWS client is loaded.
 * The values are copied; what a handler writes is seen by its later reads only.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { invocation } from 'clearskies-middy/normalizers/invocation'
 * import { invoke, memorySecrets } from 'clearskies-middy/testing'
 *
 * const handler = middy()
 *   .use(invocation())
 *   .use(memorySecrets({ '/shop/api-key': 'key' }))
 *   .handler((_, { secrets }) => secrets.get('/shop/api-key'))
 *
 * console.log(await invoke(handler, {}))
 * ```
 */
export function memorySecrets<
  const TFetch extends Readonly<Record<string, string>> = {},
  const TAs extends string = 'secrets',
>(
  values: Readonly<Record<string, SecretValue>>,
  options: MemorySecretsOptions<TFetch, TAs> = {},
): Middleware<unknown, SecretsContext<keyof TFetch & string, TAs>> {
  return secretsMiddleware('memorySecrets', memoryStore(new Map(Object.entries(values))), options)
}

function memoryStore(values: Map<string, SecretValue>): SecretStore {
  const title = 'The memory'
  const store: SecretStore = {
    title,
    scheme: 'ssm',
    ref: (name, { version, label, stage }) => {
      const selector = version ?? label ?? stage
      return { key: selector === undefined ? name : `${name}:${selector}`, name }
    },
    nameFromUri: (name) => (values.has(name) ? name : `/${name}`),
    batches: (refs) => [[...refs]],
    read: (batch) =>
      Promise.resolve(batch.map(({ key }) => values.get(key) ?? new SecretNotFoundError(key, title))),
    readDeclared: (refs, options) => store.read(refs, options),
    async create(path, value) {
      if (values.has(path)) throw new SecretAlreadyExistsError(path, title)
      values.set(path, value)
    },
    async update(path, value) {
      if (!values.has(path)) throw new SecretNotFoundError(path, title)
      values.set(path, value)
    },
    upsert(path, value) {
      values.set(path, value)
      return Promise.resolve()
    },
    delete: (path) => Promise.resolve(values.delete(path)),

    async *list(prefix) {
      for (const name of [...values.keys()].sort()) if (name.startsWith(prefix)) yield name
    },
  }
  return store
}
