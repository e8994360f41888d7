import { type ClientOption, isClientOption } from '../../aws/client.ts'
import { checkOptions, is, isLogger, oneOf } from '../../core/options.ts'
import type { MiddyRequest, Middleware } from '../../core/middy.ts'
import { SecretNotFoundError } from '../../errors/index.ts'
import { isContextKey } from '../../invocation/context-key.ts'
import { withinInvocation } from '../../invocation/middy-request.ts'
import type { Scope } from '../../invocation/scope.ts'
import { Secrets, type SecretsPart } from '../secrets.ts'
import { SecretCache, type SecretCacheOptions } from './cache.ts'
import { type Fetch, LoadedSecrets, declaredSecrets, isFetch } from './declared.ts'
import { throughExtension } from './store-extension.ts'
import type { SecretStore } from './store.ts'

/** Options of `parameterStore()` and `secretsManager()`. */
export interface SecretsOptions<
  TFetch extends Readonly<Record<string, Fetch>> = Readonly<Record<string, Fetch>>,
  TAs extends string = string,
> extends SecretCacheOptions {
  /**
   * What is read at cold start, as `secrets.values.key`: names by key, each with or without a `#field`. A path that ends
   * with `/*` (Parameter Store) gives all values below it. `{ path, optional: true }` may be missing.
   */
  readonly fetch?: TFetch
  /** Whether what `fetch` declares is read while the process starts, and not only before the first handler. @default true */
  readonly prefetch?: boolean
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
export type SecretsContext<TValues = never, TAs extends string = 'secrets'> = {
  readonly [K in TAs]: Secrets<TValues>
}

const isSeconds = (value: unknown): boolean => typeof value === 'number' && value >= 0

const loaderChecks = {
  fetch: isFetch,
  prefetch: is('boolean'),
  ttl: isSeconds,
  staleIfError: isSeconds,
  timeout: (value: unknown): boolean => isSeconds(value) && value !== 0,
  extension: oneOf(true, false, 'auto'),
  client: isClientOption,
  as: isContextKey('secrets'),
  logger: isLogger,
}

/** The part that both stores share: options, the declared values, the place in the context. */
export function secretsMiddleware(factory: string, store: SecretStore, options: SecretsOptions): Middleware {
  checkOptions(factory, options, loaderChecks)
  const { fetch = {}, prefetch = true, as = 'secrets', extension = false } = options
  const source = extension === false ? store : throughExtension(store, extension === 'auto')
  const cache = new SecretCache(source, options)
  const declared = declaredSecrets(store, fetch)

  // Begun while the process starts. What goes wrong now is tried again when an invocation needs it.
  if (prefetch && declared.length > 0) cache.prefetch(declared.map(({ ref }) => ref))

  function begin(context: object, scope: Scope): void | Promise<void> {
    cache.invocations.begin(scope)
    const part = { cache, limit: cache.limitUntil(scope.deadline), loaded: new LoadedSecrets(declared) }
    placeSecrets(context as Record<string, unknown>, as, Secrets.of(part))
    return load(part)
  }

  function before(request: MiddyRequest): void | Promise<void> {
    return withinInvocation(request, (scope) => begin(request.context, scope))
  }
  return { before: Object.defineProperty(before, 'name', { value: `${factory}Before` }) }
}

/** Stacked on one key, both are one. */
function placeSecrets(context: Record<string, unknown>, key: string, secrets: Secrets): void {
  const earlier = context[key]
  context[key] = Secrets.is(earlier) ? Secrets.merge(earlier, secrets) : secrets
}

/** Gives an invocation what it declares. `undefined` where nothing has to be awaited, which is every warm invocation. */
function load({ cache, limit, loaded }: SecretsPart): Promise<void> | undefined {
  const missing = loaded.declared.filter(({ ref }) => {
    const value = cache.atHand(ref)
    if (value !== undefined) loaded.set(ref, value)
    return value === undefined
  })
  return missing.length === 0 ? undefined : loadMissing({ cache, limit, loaded }, missing)
}

async function loadMissing(
  { cache, limit, loaded }: SecretsPart,
  missing: LoadedSecrets['declared'],
): Promise<void> {
  const required = new Set(missing.filter(({ isOptional }) => !isOptional).map(({ ref }) => ref.key))
  const refs = [...new Map(missing.map(({ ref }) => [ref.key, ref])).values()]
  const outcomes = await Promise.all(
    cache.load(refs, limit).map(async (loading, index) => {
      const outcome = await loading
      const ref = refs[index]
      if (ref !== undefined && !(outcome instanceof Error)) loaded.set(ref, outcome)
      return outcome
    }),
  )
  for (const [index, outcome] of outcomes.entries()) {
    if (!(outcome instanceof Error)) continue
    if (!(outcome instanceof SecretNotFoundError) || required.has(refs[index]?.key ?? '')) throw outcome
  }
}
