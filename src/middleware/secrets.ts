import { redacted, inspect } from '../core/redacted.ts'
import { SecretError, SecretNotFoundError, SecretTimeoutError } from '../errors/index.ts'
import { isAuthenticationError } from './secrets/auth-error.ts'
import type { SecretCache, SecretSource } from './secrets/cache.ts'
import type {
  DeleteSecretOptions,
  SecretStore,
  SecretValue,
  SecretVersion,
  WriteSecretOptions,
} from './secrets/store.ts'
import { type LocatedSecret, type SecretForm, locate, pick } from './secrets/value.ts'
import { unlessAborted } from './secrets/time-limit.ts'

export type { DeleteSecretOptions, SecretValue, SecretVersion, WriteSecretOptions } from './secrets/store.ts'

/** Options of `secrets.get()`. */
export interface GetSecretOptions extends SecretVersion, SecretForm {
  /** Gives `undefined` for a secret that does not exist, instead of an error. */
  readonly optional?: boolean
  /** Asks the store even if a fresh value is held. */
  readonly refresh?: boolean
  /** Stops waiting. What others wait for goes on. */
  readonly signal?: AbortSignal
}

/** Options of `secrets.withFresh()`. */
export interface WithFreshOptions extends SecretForm {
  /** Whether an error says that the credentials were not accepted. @default the codes of PostgreSQL, MySQL and other drivers, and HTTP's 401 and 403 */
  readonly isAuthError?: (error: unknown) => boolean
}

/** Options of `secrets.list()`. */
export interface ListSecretsOptions {
  /** How many names at most. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

const hidden = '[Secrets]'

/**
 * The secrets that a handler finds in its context. Values are held in private fields: neither `JSON.stringify` nor
 * `util.inspect` nor a spread shows one, and no error's message does.
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
  readonly #cache: SecretCache
  /** Where plain paths lead: most handlers ask for the same few, over and over. */
  readonly #located = new Map<string, LocatedSecret>()
  /** What `fetch` declared, by its keys, as text. Read before the handler runs, and again when it has grown old. */
  readonly values: { readonly [K in TKey]: string }

  private constructor(sources: readonly SecretSource[]) {
    this.#sources = sources
    this.#cache = (sources[0] as SecretSource).cache
    this.values = redactedValues(sources) as { readonly [K in TKey]: string }
  }

  /**
   * One secret's value, held for `ttl` seconds. Asked for many times at once it is read once; asked for along with
   * others it is read along with them. `path#field` picks a field of a JSON secret. Binary secrets are a `Uint8Array`.
   *
   * @throws SecretNotFoundError if there is none; SecretTimeoutError; SecretError with the store's error as cause
   */
  get(path: string, options: GetSecretOptions & { readonly json: true }): Promise<unknown>
  get(
    path: string,
    options: GetSecretOptions & { readonly optional: true; readonly list: true },
  ): Promise<string[] | undefined>
  get(path: string, options: GetSecretOptions & { readonly optional: true }): Promise<string | undefined>
  get(path: string, options: GetSecretOptions & { readonly list: true }): Promise<string[]>
  get<T extends SecretValue = string>(path: string, options?: GetSecretOptions): Promise<T>
  async get(path: string, options: GetSecretOptions = noOptions): Promise<unknown> {
    const { ref, field } =
      options === noOptions ? this.#locate(path) : locate(this.#cache.store, path, options)
    const fresh = options.refresh === true ? undefined : this.#cache.fresh(ref)
    if (fresh !== undefined) return pick(fresh, path, field, options)
    options.signal?.throwIfAborted()
    try {
      const reading = this.#cache.read(ref, options.refresh === true)
      const value = await (options.signal === undefined ? reading : unlessAborted(reading, options.signal))
      return pick(value, path, field, options)
    } catch (error) {
      if (options.optional === true && error instanceof SecretNotFoundError) return undefined
      throw error
    }
  }

  #locate(path: string): LocatedSecret {
    let located = this.#located.get(path)
    if (located === undefined) {
      located = locate(this.#cache.store, path)
      if (this.#located.size < 1000) this.#located.set(path, located)
    }
    return located
  }

  /**
   * Several secrets, by the names they were asked for; read together. One that is missing or forbidden fails this call and
   * none of the others' reading.
   */
  async getMany<TPath extends string>(
    paths: readonly TPath[],
    options: GetSecretOptions = noOptions,
  ): Promise<Record<TPath, string>> {
    const values = await Promise.all(paths.map((path) => this.get(path, options)))
    return Object.fromEntries(paths.map((path, index) => [path, values[index]])) as Record<TPath, string>
  }

  /** Reads a secret anew, whatever is held. */
  refresh(path: string): Promise<string> {
    return this.get(path, { refresh: true })
  }

  /**
   * Uses a secret, and once more with a newer value if the first is not accepted. While a password is rotated there are
   * seconds in which only the value to come (`AWSPENDING`, Secrets Manager) is; that is tried last.
   *
   * @throws what `use` throws at its last attempt
   * @example
   * ```ts
   * import type { Secrets } from 'clearskies-middy/middleware/secrets'
   *
   * export const stock = (secrets: Secrets) =>
   *   secrets.withFresh('shop/stock#token', async (token) => {
   *     const response = await fetch('https://stock.example.com', { headers: { authorization: `Bearer ${token}` } })
   *     if (!response.ok) throw Object.assign(new Error('No stock'), { status: response.status })
   *     return response.json()
   *   })
   * ```
   */
  async withFresh<T>(
    path: string,
    use: (value: string) => T | Promise<T>,
    { isAuthError = isAuthenticationError, ...form }: WithFreshOptions = {},
  ): Promise<T> {
    const tried = new Set<string>()
    const attempts: (() => Promise<string>)[] = [
      () => this.get(path, form),
      () => this.get(path, { ...form, refresh: true }),
    ]
    if (this.#cache.store.scheme === 'secretsmanager')
      attempts.push(() => this.get(path, { ...form, stage: 'AWSPENDING', refresh: true }))
    let failure: unknown
    for (const attempt of attempts) {
      let value: string
      try {
        value = await attempt()
      } catch (error) {
        throw failure ?? error // There is no other value: what the use of this one came to is what counts.
      }
      const known = typeof value === 'string' ? value : JSON.stringify(value)
      if (tried.has(known)) continue // Refused once already: too many of these lock an account.
      tried.add(known)
      try {
        return await use(value)
      } catch (error) {
        failure = error
        if (!isAuthError(error)) throw error
      }
    }
    throw failure
  }

  /**
   * All names below a path (Parameter Store), or with a beginning (Secrets Manager), to the end. No values: needs
   * `ssm:GetParametersByPath`, or `secretsmanager:ListSecrets`.
   *
   * @throws SecretTimeoutError; SecretError with the store's error as cause
   */
  async *list(
    prefix = '',
    { limit = Infinity, signal }: ListSecretsOptions = {},
  ): AsyncGenerator<string, void> {
    let left = limit
    if (left <= 0) return
    const { limit: time, store } = this.#cache
    const late = (seconds: number) => new SecretTimeoutError(prefix, store.title, { seconds, deed: 'list' })
    for await (const name of store.list(prefix, (call) => time.run(call, late, signal))) {
      yield name
      if (--left <= 0) return
    }
  }

  /**
   * Writes a new secret, encrypted.
   *
   * @throws SecretAlreadyExistsError; SecretPendingDeletionError
   */
  create(path: string, value: SecretValue, options: WriteSecretOptions = {}): Promise<void> {
    return this.#write(path, value, (store, name, signal) => store.create(name, value, options, signal))
  }

  /**
   * Writes a new value of a secret.
   *
   * @throws SecretNotFoundError; SecretPendingDeletionError
   */
  update(path: string, value: SecretValue, options: WriteSecretOptions = {}): Promise<void> {
    return this.#write(path, value, (store, name, signal) => store.update(name, value, options, signal))
  }

  /** Writes a secret, new or not. */
  upsert(path: string, value: SecretValue, options: WriteSecretOptions = {}): Promise<void> {
    return this.#write(path, value, (store, name, signal) => store.upsert(name, value, options, signal))
  }

  /** Deletes a secret; gives whether there was one. Secrets Manager can restore it for 30 days, unless `force` is set. */
  delete(path: string, options: DeleteSecretOptions = {}): Promise<boolean> {
    return this.#write(path, undefined, (store, name, signal) => store.delete(name, options, signal))
  }

  async #write<T>(
    path: string,
    value: SecretValue | undefined,
    write: (store: SecretStore, name: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { store, limit } = this.#cache
    const { ref, field } = locate(store, path)
    if (field !== undefined || ref.key !== ref.name)
      throw new SecretError(
        path,
        `"${path}" is a part or a version of a secret, and only a whole one is written`,
      )
    return this.#cache.write(ref.name, typeof value === 'object' ? new Uint8Array(value) : value, () =>
      limit.run(
        (signal) => write(store, ref.name, signal),
        (seconds) => new SecretTimeoutError(path, store.title, { seconds, deed: 'write' }),
      ),
    )
  }

  /** @internal */
  static of(source: SecretSource): Secrets {
    return new Secrets([source])
  }

  /** @internal */
  static is(value: unknown): value is Secrets {
    return value instanceof Secrets
  }

  /** @internal Both, as one: the values of each, and everything else from the later. */
  static merge(earlier: Secrets, later: Secrets): Secrets {
    return new Secrets([...later.#sources, ...earlier.#sources])
  }

  /** @internal The part whose store an environment variable's scheme means; any for `secret://`. */
  static ofScheme(secrets: Secrets, scheme: SecretStore['scheme'] | undefined): Secrets | undefined {
    const source = secrets.#sources.find(({ cache }) => scheme === undefined || cache.store.scheme === scheme)
    if (source === undefined) return undefined
    return source === secrets.#sources[0] ? secrets : new Secrets([source])
  }

  /** @internal For messages. */
  static title(secrets: Secrets): string {
    return secrets.#cache.store.title
  }

  /** @internal */
  static nameFromUri(secrets: Secrets, name: string): string {
    return secrets.#cache.store.nameFromUri(name)
  }

  /** A word in place of the values. */
  toJSON(): string {
    return hidden
  }

  static {
    Object.defineProperty(this.prototype, inspect, { value: () => hidden })
  }
}

const noOptions: GetSecretOptions = {}

function redactedValues(sources: readonly SecretSource[]): object {
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
  return redacted(getters, hidden)
}
