import { inspect } from '../core/redacted.ts'
import { checkOptions, is } from '../core/options.ts'
import { SecretError, SecretNotFoundError, SecretTimeoutError } from '../errors/index.ts'
import { firstAccepted, isAuthenticationError } from './secrets/credentials.ts'
import type { SecretCache } from './secrets/cache.ts'
import { type LoadedSecrets, shownValues } from './secrets/declared.ts'
import type { GetSecretOptions, ListSecretsOptions, WithFreshOptions } from './secrets/options.ts'
import type {
  CreateSecretOptions,
  DeleteSecretOptions,
  HeldValue,
  SecretStore,
  SecretValue,
  SecretWrite,
  WriteSecretOptions,
} from './secrets/store.ts'
import { type LocatedSecret, locate, pick } from './secrets/value.ts'
import { type TimeLimit, unlessAborted } from './secrets/time-limit.ts'
import { writeChecks } from './secrets/write-options.ts'

export type { GetSecretOptions, ListSecretsOptions, WithFreshOptions } from './secrets/options.ts'
export type {
  CreateSecretOptions,
  DeleteSecretOptions,
  SecretValue,
  SecretVersion,
  WriteSecretOptions,
} from './secrets/store.ts'

const hiddenSecrets = '[Secrets]'

/** The declared values: text for each of some keys, or an object. */
type DeclaredValues<TValues> = [TValues] extends [string] ? { readonly [K in TValues]: string } : TValues

/** @internal What one middleware gives to one invocation. */
export interface SecretsPart {
  readonly cache: SecretCache
  readonly limit: TimeLimit
  readonly loaded: LoadedSecrets
}

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
export class Secrets<TValues = never> {
  readonly #parts: readonly SecretsPart[]
  readonly #cache: SecretCache
  readonly #limit: TimeLimit
  #values: DeclaredValues<TValues> | undefined

  private constructor(parts: readonly [SecretsPart, ...SecretsPart[]]) {
    this.#parts = parts
    this.#cache = parts[0].cache
    this.#limit = parts[0].limit
  }

  /**
   * What `fetch` declared, by its keys, as text. Read before the handler runs, and again when it has grown old. Within an
   * invocation it stays as it was read: `get()` gives what was written since.
   */
  get values(): DeclaredValues<TValues> {
    const loaded = this.#parts.map((part) => part.loaded)
    return (this.#values ??= shownValues(loaded, hiddenSecrets) as DeclaredValues<TValues>)
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
  async get(path: string, options: GetSecretOptions = noGetOptions): Promise<unknown> {
    const located =
      options === noGetOptions ? this.#cache.locate(path) : locate(this.#cache.store, path, options)
    if (located.ref.isPath)
      throw new SecretError(path, `"${path}" are several values: read them with getMany("${path}")`)
    return this.#read(path, located, options)
  }

  async #read(path: string, { ref, field }: LocatedSecret, options: GetSecretOptions): Promise<unknown> {
    const { refresh = false, optional = false, signal } = options
    const known: HeldValue | undefined = refresh ? undefined : this.#cache.atHand(ref)
    if (known !== undefined) return pick(known, path, field, options)
    signal?.throwIfAborted()
    try {
      const reading = this.#cache.read(ref, this.#limit, refresh)
      const value = await (signal === undefined ? reading : unlessAborted(reading, signal))
      return pick(value, path, field, options)
    } catch (error) {
      if (optional && error instanceof SecretNotFoundError) return undefined
      throw error
    }
  }

  /**
   * Several secrets, by the names they were asked for; read together. One that is missing or forbidden fails this call and
   * none of the others' reading. A path that ends with `/*` gives all parameters below it, by their names below it; this
   * needs `ssm:GetParametersByPath`.
   */
  getMany(path: `${string}/*`, options?: GetSecretOptions): Promise<Record<string, string>>
  getMany<TPath extends string>(
    paths: readonly TPath[],
    options?: GetSecretOptions,
  ): Promise<Record<TPath, string>>
  async getMany(
    paths: string | readonly string[],
    options: GetSecretOptions = noGetOptions,
  ): Promise<unknown> {
    if (typeof paths === 'string') {
      const located = locate(this.#cache.store, paths, options)
      if (!located.ref.isPath) throw new SecretError(paths, `"${paths}" is no path: end it with "/*"`)
      return this.#read(paths, located, options)
    }
    const values = await Promise.all(paths.map((path) => this.get(path, options)))
    return Object.fromEntries(paths.map((path, index) => [path, values[index]]))
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
    const attempts = [() => this.get(path, form), () => this.get(path, { ...form, refresh: true })]
    if (this.#cache.store.scheme === 'secretsmanager')
      attempts.push(() => this.get(path, { ...form, stage: 'AWSPENDING', refresh: true }))
    return firstAccepted(attempts, use, isAuthError)
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
    const { store } = this.#cache
    const late = (seconds: number) => new SecretTimeoutError(prefix, store.title, { seconds, deed: 'list' })
    for await (const name of store.list(prefix, (call) => this.#limit.run(call, late, signal))) {
      yield name
      if (--left <= 0) return
    }
  }

  /**
   * Writes a new secret, encrypted.
   *
   * @throws SecretAlreadyExistsError; SecretPendingDeletionError
   */
  create(path: string, value: SecretValue, options: CreateSecretOptions = {}): Promise<void> {
    return this.#write('create', path, { value, options })
  }

  /**
   * Writes a new value of a secret.
   *
   * @throws SecretNotFoundError; SecretPendingDeletionError
   */
  update(path: string, value: SecretValue, options: WriteSecretOptions = {}): Promise<void> {
    return this.#write('update', path, { value, options })
  }

  /** Writes a secret, new or not. */
  upsert(path: string, value: SecretValue, options: CreateSecretOptions = {}): Promise<void> {
    return this.#write('upsert', path, { value, options })
  }

  /** Deletes a secret; gives whether there was one. Secrets Manager can restore it for 30 days, unless `force` is set. */
  async delete(path: string, options: DeleteSecretOptions = {}): Promise<boolean> {
    checkOptions('secrets.delete', options, { force: is('boolean') })
    return this.#change(path, undefined, (store, name, signal) => store.delete(name, options, signal))
  }

  async #write(
    method: 'create' | 'update' | 'upsert',
    path: string,
    { value, options }: Pick<SecretWrite<CreateSecretOptions>, 'value' | 'options'>,
  ): Promise<void> {
    checkOptions(`secrets.${method}`, options, writeChecks(this.#cache.store, method))
    const copy = typeof value === 'object' ? new Uint8Array(value) : value
    await this.#change(path, copy, (store, name, signal) => store[method]({ name, value, options, signal }))
  }

  async #change<T>(
    path: string,
    value: SecretValue | undefined,
    change: (store: SecretStore, name: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { store } = this.#cache
    const { ref, field } = locate(store, path)
    if (field !== undefined || ref.key !== ref.name || ref.isPath)
      throw new SecretError(
        path,
        `"${path}" is a part or a version of a secret, or several, and only a whole one is written`,
      )
    return this.#cache.write(ref.name, value, () =>
      this.#limit.run(
        (signal) => change(store, ref.name, signal),
        (seconds) => new SecretTimeoutError(path, store.title, { seconds, deed: 'write' }),
      ),
    )
  }

  /** @internal */
  static of(part: SecretsPart): Secrets {
    return new Secrets([part])
  }

  /** @internal */
  static is(value: unknown): value is Secrets {
    return value instanceof Secrets
  }

  /** @internal Both, as one: the values of each, and everything else from the later. */
  static merge(earlier: Secrets, later: Secrets): Secrets {
    const [first, ...others] = later.#parts
    const kept = earlier.#parts.filter(({ cache }) => later.#parts.every((part) => part.cache !== cache))
    return first === undefined ? earlier : new Secrets([first, ...others, ...kept])
  }

  /** @internal The part whose store an environment variable's scheme means; any for `secret://`. */
  static ofScheme(secrets: Secrets, scheme: SecretStore['scheme'] | undefined): Secrets | undefined {
    const part = secrets.#parts.find(({ cache }) => scheme === undefined || cache.store.scheme === scheme)
    return part && (part === secrets.#parts[0] ? secrets : new Secrets([part]))
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
    return hiddenSecrets
  }

  static {
    Object.defineProperty(this.prototype, inspect, { value: () => hiddenSecrets })
  }
}

const noGetOptions: GetSecretOptions = {}
