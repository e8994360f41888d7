import type { Context } from 'aws-lambda'
import { type ClientOption, isClientOption } from '../../aws/client.ts'
import { checkOptions, isLogger, oneOf } from '../../core/options.ts'
import type { MiddyRequest, Middleware } from '../../core/middy.ts'
import { SecretCache, type SecretCacheOptions } from './cache.ts'
import { throughExtension } from './store-extension.ts'
import type { SecretStore } from './store.ts'
import { locate } from './value.ts'
import { Secrets } from '../secrets.ts'

/** Options of `parameterStore()` and `secretsManager()`. */
export interface SecretsOptions<
  TFetch extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
  TAs extends string = string,
> extends SecretCacheOptions {
  /** What is read at cold start, as `secrets.values.key`: names by key, each with or without a `#field`. */
  readonly fetch?: TFetch
  /** An AWS SDK client, or anything else with its `send`, or a function that gives one. @default one per process */
  readonly client?: ClientOption
  /**
   * Reads through the AWS Parameters and Secrets Lambda Extension, which spares the function the AWS client; where it does
   * not answer, through the client all the same. `'auto'` asks one that did not answer only once a minute. @default false
   */
  readonly extension?: boolean | 'auto'
  /** The key in the context. @default 'secrets' */
  readonly as?: TAs
}

/** What `parameterStore()` and `secretsManager()` leave in the context, under the key that `as` names. */
export type SecretsContext<TKey extends string = never, TAs extends string = 'secrets'> = {
  readonly [K in TAs]: Secrets<TKey>
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
    timeout: (value: unknown) => isSeconds(value) && value !== 0,
    extension: oneOf(true, false, 'auto'),
    client: isClientOption,
    as: (value: unknown) => typeof value === 'string' && value !== '',
    logger: isLogger,
  })
  const { fetch = {}, as = 'secrets', ttl = 300, extension = false } = options
  const cache = new SecretCache(
    extension === false ? store : throughExtension(store, extension === 'auto'),
    options,
  )
  const secrets = Secrets.of({ cache, fetch })
  const refs = Object.values(fetch).map((path) => locate(store, path).ref)
  const merged = new WeakMap<Secrets, Secrets>()
  let loadedUntil = 0

  async function load(): Promise<void> {
    await cache.load(refs)
    loadedUntil = Date.now() + ttl * 1000
  }

  /** `undefined` where nothing has to be awaited, which is every warm invocation. */
  function loaded(): Promise<void> | undefined {
    // What the handler itself has written or deleted is not held any more.
    const isLoaded = Date.now() < loadedUntil && refs.every((ref) => cache.held(ref) !== undefined)
    return refs.length === 0 || isLoaded ? undefined : load()
  }

  function place(context: Record<string, unknown>): void {
    const earlier = context[as]
    if (!Secrets.is(earlier) || earlier === secrets) {
      context[as] = secrets
      return
    }
    let both = merged.get(earlier)
    if (both === undefined) merged.set(earlier, (both = Secrets.merge(earlier, secrets)))
    context[as] = both
  }

  // Begun while the process starts. What goes wrong now is tried again when an invocation needs it.
  if (refs.length > 0) load().catch(() => {})

  function before({ context }: MiddyRequest): void | Promise<void> {
    const { getRemainingTimeInMillis } = context as Partial<Context>
    cache.beginInvocation(Date.now() + (getRemainingTimeInMillis?.() ?? Infinity))
    place(context as unknown as Record<string, unknown>)
    return loaded()
  }
  return { before: Object.defineProperty(before, 'name', { value: `${factory}Before` }) }
}
