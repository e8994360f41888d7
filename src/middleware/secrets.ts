import { concealed, inspect } from '../conceal.ts'
import { SecretError, SecretNotFoundError } from '../errors.ts'
import { parseJson } from '../json.ts'
import type { SecretCache } from './secret-cache.ts'
import type { SecretRef, SecretStore, SecretValue, SecretVersion } from './secret-store.ts'

/** Options of `secrets.get()`. */
export interface GetSecretOptions extends SecretVersion {
  /** Gives `undefined` for a secret that does not exist, instead of an error. */
  readonly optional?: boolean
  /** Parses the value as JSON. */
  readonly json?: boolean
  /** Splits the value at its commas, as a `StringList` is written. */
  readonly list?: boolean
  /** Asks the store even if a fresh value is held. */
  readonly refresh?: boolean
}

/** A cache, and the names that `fetch` declared for it. */
export interface SecretSource {
  readonly cache: SecretCache
  readonly fetch: Readonly<Record<string, string>>
}

const hidden = '[Secrets]'

/**
 * The secrets that a handler finds in its context. Values are held in private fields: neither `JSON.stringify` nor
 * `util.inspect` nor a spread shows one.
 *
 * @example
 * ```ts
 * import type { Secrets } from 'clearskies-middy/middleware/secrets'
 *
 * export async function authorization(secrets: Secrets) {
 *   return `Bearer ${await secrets.get('/shop/api-key')}`
 * }
 * ```
 */
export class Secrets<TKey extends string = never> {
  readonly #sources: readonly SecretSource[]
  /** What `fetch` declared, by its keys, as text. Read before the handler runs, and again when it has grown old. */
  readonly values: { readonly [K in TKey]: string }

  /** @internal */
  constructor(sources: readonly SecretSource[]) {
    this.#sources = sources
    this.values = concealedValues(sources) as { readonly [K in TKey]: string }
  }

  /**
   * One secret's value, held for `ttl` seconds. Asked for many times at once it is read once; asked for along with
   * others it is read along with them. `path#field` picks a field of a JSON secret.
   *
   * @throws SecretNotFoundError if there is none
   */
  get(
    path: string,
    options: GetSecretOptions & { readonly optional: true; readonly list: true },
  ): Promise<string[] | undefined>
  get(path: string, options: GetSecretOptions & { readonly optional: true }): Promise<string | undefined>
  get(path: string, options: GetSecretOptions & { readonly json: true }): Promise<unknown>
  get(path: string, options: GetSecretOptions & { readonly list: true }): Promise<string[]>
  get<T extends SecretValue = string>(path: string, options?: GetSecretOptions): Promise<T>
  async get(path: string, options: GetSecretOptions = {}): Promise<unknown> {
    const { cache } = this.#sources[0] as SecretSource
    const { ref, field } = locate(cache.store, path, options)
    try {
      const value = (options.refresh === true ? undefined : cache.fresh(ref)) ?? (await cache.read(ref))
      return pick(value, path, field, options)
    } catch (error) {
      if (options.optional === true && error instanceof SecretNotFoundError) return undefined
      throw error
    }
  }

  /** Several secrets, by the names they were asked for; read together. */
  async getMany<TPath extends string>(paths: readonly TPath[]): Promise<Record<TPath, string>> {
    const values = await Promise.all(paths.map((path) => this.get(path)))
    return Object.fromEntries(paths.map((path, index) => [path, values[index]])) as Record<TPath, string>
  }

  /** Reads a secret anew, whatever is held. */
  refresh(path: string): Promise<string> {
    return this.get(path, { refresh: true })
  }

  /** @internal Both, as one: the values of each, and `get` from the later. */
  static merge(earlier: Secrets, later: Secrets): Secrets {
    return new Secrets([...later.#sources, ...earlier.#sources])
  }

  /** @internal The part whose store an environment variable's scheme means; any for `secret://`. */
  static ofScheme(secrets: Secrets, scheme: SecretStore['scheme'] | undefined): Secrets | undefined {
    const source = secrets.#sources.find(({ cache }) => scheme === undefined || cache.store.scheme === scheme)
    return source && new Secrets([source])
  }

  /** @internal */
  static nameFromUri(secrets: Secrets, name: string): string {
    return (secrets.#sources[0] as SecretSource).cache.store.nameFromUri(name)
  }

  toJSON(): string {
    return hidden
  }

  static {
    Object.defineProperty(this.prototype, inspect, { value: () => hidden })
  }
}

/** @internal */
export function isSecrets(value: unknown): value is Secrets {
  return value instanceof Secrets
}

/** @internal Splits `name#field`. Names hold no `#` in either store. */
export function locate(
  store: SecretStore,
  path: string,
  version: SecretVersion = {},
): { ref: SecretRef; field: string | undefined } {
  const hash = path.indexOf('#')
  return hash < 0
    ? { ref: store.ref(path, version), field: undefined }
    : { ref: store.ref(path.slice(0, hash), version), field: path.slice(hash + 1) }
}

function pick(
  value: SecretValue,
  path: string,
  field: string | undefined,
  { json, list }: GetSecretOptions = {},
): unknown {
  if (field === undefined && json !== true)
    return list === true && typeof value === 'string' ? value.split(',') : value
  if (typeof value !== 'string')
    throw new SecretError(`The secret "${path}" is binary and cannot be read as JSON`, { path })
  const parsed = parseJson(value, `The secret "${path}"`)
  if (field === undefined) return parsed
  if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, field)) {
    throw new SecretError(`The secret "${path}" has no such field`, { path })
  }
  const found = (parsed as Record<string, unknown>)[field]
  return typeof found === 'string' || json === true ? found : JSON.stringify(found)
}

function concealedValues(sources: readonly SecretSource[]): object {
  const getters: Record<string, () => unknown> = {}
  for (const { cache, fetch } of [...sources].reverse()) {
    for (const [key, path] of Object.entries(fetch)) {
      const { ref, field } = locate(cache.store, path)
      getters[key] = () => {
        const value = cache.held(ref)
        return value === undefined ? undefined : pick(value, path, field)
      }
    }
  }
  return concealed(getters, hidden)
}
