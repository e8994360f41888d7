import { SecretAlreadyExistsError, SecretNotFoundError } from '../errors/index.ts'
import type { Fetch, Fetched } from '../middleware/secrets/declared.ts'
import type { Outcome, SecretRef, SecretStore, SecretValue } from '../middleware/secrets/store.ts'
import {
  type SecretsContext,
  type SecretsOptions,
  secretsMiddleware,
} from '../middleware/secrets/secrets-middleware.ts'
import { pathEnd } from '../middleware/secrets/same-secret.ts'
import type { Middleware } from '../core/middy.ts'

/** Options of {@link memorySecrets}. */
export type MemorySecretsOptions<TFetch extends Readonly<Record<string, Fetch>>, TAs extends string> = Pick<
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
  const TFetch extends Readonly<Record<string, Fetch>> = {},
  const TAs extends string = 'secrets',
>(
  values: Readonly<Record<string, SecretValue>>,
  options: MemorySecretsOptions<TFetch, TAs> = {},
): Middleware<unknown, SecretsContext<Fetched<TFetch>, TAs>> {
  return secretsMiddleware('memorySecrets', memoryStore(new Map(Object.entries(values))), options)
}

const memoryTitle = 'The memory'

function memoryStore(values: Map<string, SecretValue>): SecretStore {
  const read = (refs: readonly SecretRef[]): Promise<Outcome[]> =>
    Promise.resolve(refs.map((ref) => memoryOutcome(values, ref)))
  return {
    title: memoryTitle,
    scheme: 'ssm',
    ref(name, { version, label, stage }) {
      const selector = version ?? label ?? stage
      if (name.endsWith(pathEnd)) return { key: name, name, isPath: true }
      return { key: selector === undefined ? name : `${name}:${selector}`, name }
    },
    nameFromUri: (name) => (values.has(name) ? name : `/${name}`),
    batches: (refs) => [[...refs]],
    read,
    readDeclared: read,
    writeOptions: ['kmsKeyId', 'type', 'tier', 'tags'],
    async create({ name, value }) {
      if (values.has(name)) throw new SecretAlreadyExistsError(name, memoryTitle)
      values.set(name, value)
    },
    async update({ name, value }) {
      if (!values.has(name)) throw new SecretNotFoundError(name, memoryTitle)
      values.set(name, value)
    },
    async upsert({ name, value }) {
      values.set(name, value)
    },
    delete: (name) => Promise.resolve(values.delete(name)),

    async *list(prefix) {
      for (const name of [...values.keys()].sort()) if (name.startsWith(prefix)) yield name
    },
  }
}

function memoryOutcome(values: ReadonlyMap<string, SecretValue>, { key, name, isPath }: SecretRef): Outcome {
  if (!isPath) return values.get(key) ?? new SecretNotFoundError(key, memoryTitle)
  const path = name.slice(0, -1)
  const below = [...values].filter(([other]) => other.startsWith(path))
  return new Map(below.map(([other, value]) => [other.slice(path.length), String(value)]))
}
