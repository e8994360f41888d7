import type { ClientOption } from '../aws-client.ts'
import { checkOptions, isLogger } from '../options.ts'
import type { MiddyRequest, Middleware } from '../types.ts'
import { SecretCache, type SecretCacheOptions } from './secret-cache.ts'
import type { SecretStore } from './secret-store.ts'
import { Secrets, isSecrets, locate } from './secrets.ts'

/** Options of `parameterStore()` and `secretsManager()`. */
export interface SecretsOptions<
  TFetch extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
  TAs extends string = string,
> extends SecretCacheOptions {
  /** What is read at cold start, as `secrets.values.key`: names by key, each with or without a `#field`. */
  readonly fetch?: TFetch
  /** An AWS SDK client, or anything else with its `send`, or a function that gives one. @default one per process */
  readonly client?: ClientOption
  /** The key in the context. @default 'secrets' */
  readonly as?: TAs
}

/** What the two middlewares leave in the context. */
export type SecretsContext<TFetch, TAs extends string> = {
  readonly [K in TAs]: Secrets<keyof TFetch & string>
}

const isSeconds = (value: unknown): boolean => typeof value === 'number' && value >= 0

/** The part that both stores share: options, the declared values, the place in the context. */
export function secretsMiddleware(factory: string, store: SecretStore, options: SecretsOptions): Middleware {
  checkOptions(factory, options, {
    fetch: (value: unknown) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((path) => typeof path === 'string'),
    ttl: isSeconds,
    staleIfError: isSeconds,
    client: (value: unknown) =>
      typeof value === 'function' || typeof (value as { send?: unknown } | null)?.send === 'function',
    as: (value: unknown) => typeof value === 'string' && value !== '',
    logger: isLogger,
  })
  const { fetch = {}, as = 'secrets', ttl = 300 } = options
  const cache = new SecretCache(store, options)
  const secrets = new Secrets([{ cache, fetch }])
  const refs = Object.values(fetch).map((path) => locate(store, path).ref)
  const merged = new WeakMap<Secrets, Secrets>()
  let loading: Promise<void> | undefined
  let loadedUntil = 0

  /** `undefined` where nothing has to be awaited, which is every warm invocation. */
  function load(): Promise<void> | undefined {
    if (refs.length === 0 || Date.now() < loadedUntil) return undefined
    return (loading ??= cache.readDeclared(refs).then(
      () => {
        loadedUntil = Date.now() + ttl * 1000
        loading = undefined
      },
      (error: unknown) => {
        loading = undefined
        throw error
      },
    ))
  }

  function place(context: Record<string, unknown>): void {
    const earlier = context[as]
    if (!isSecrets(earlier) || earlier === secrets) {
      context[as] = secrets
      return
    }
    let both = merged.get(earlier)
    if (both === undefined) merged.set(earlier, (both = Secrets.merge(earlier, secrets)))
    context[as] = both
  }

  // Begun while the process starts. What goes wrong now is tried again when an invocation needs it.
  load()?.catch(() => {})

  function before({ context }: MiddyRequest): void | Promise<void> {
    place(context as unknown as Record<string, unknown>)
    return load()
  }
  return { before: Object.defineProperty(before, 'name', { value: `${factory}Before` }) }
}
