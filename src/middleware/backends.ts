import type { Context } from 'aws-lambda'
import type { TransactionOptions, Transacts } from '../backends/capabilities.ts'
import { ConfigurationError } from '../errors/index.ts'
import { defaultLogger, logSafely } from '../core/logger.ts'
import { asRecord } from '../core/record.ts'
import { awaitSends, settleSends, opensInvocation } from '../invocation/middy-request.ts'
import { openContext } from '../invocation/open-context.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'

/** A backend, or a function that makes one from the context of an invocation when the handler first asks for it. */
// The context is what the middlewares in front have made of it, which a type here cannot know.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type BackendOption = object | ((context: Context & Record<string, any>) => object)

/** The backends as the handler finds them. */
export type Backends<TOptions> = {
  readonly [K in keyof TOptions]: TOptions[K] extends (context: never) => infer TBackend
    ? TBackend
    : TOptions[K]
}

/** The backends, and a way to have their writes made together. */
export type BackendsWithTransaction<TOptions> = Backends<TOptions> & {
  /**
   * Runs a function whose writes are made together, all or none: what it throws undoes them. It is given the backends
   * anew; those of the first one's SQL database are within the transaction, the others are as they are.
   *
   * @throws ConfigurationError if none of the backends has transactions
   */
  readonly transaction: <T>(
    run: (backends: Backends<TOptions>) => Promise<T>,
    options?: TransactionOptions,
  ) => Promise<T>
}

/** What `backends()` leaves in the context. */
export interface BackendsContext<TOptions> {
  readonly backends: BackendsWithTransaction<TOptions>
}

/**
 * Puts backends into the context, and waits for what they still have to send before the response leaves. Middlewares that
 * send without waiting belong behind it: what their hooks send in front of it, nobody waits for.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { MemoryBackend } from 'clearskies-middy/backends/memory'
 * import { model } from 'clearskies-middy/backends/model'
 * import { backends } from 'clearskies-middy/middleware/backends'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 * import * as z from 'zod'
 *
 * const Product = model({ name: 'products', key: ['id'], schema: z.object({ id: z.string(), title: z.string() }) })
 *
 * export const handler = middy()
 *   .use(httpApi())
 *   .use(backends({ products: new MemoryBackend(Product) }))
 *   .handler(async (request, { backends: { products } }) => products.find({ id: String(request.query.get('id')) }))
 * ```
 */
export function backends<const TOptions extends Readonly<Record<string, BackendOption>>>(
  options: TOptions,
): Middleware<unknown, BackendsContext<TOptions>> {
  checkBackends(options)

  const middleware = {
    before: function backendsBefore(request: MiddyRequest): void | Promise<void> {
      return opensInvocation(request, () => {
        awaitSends(request, middleware)
        placeBackends(openContext(request), options)
      })
    },
    after: function backendsAfter(request: MiddyRequest): void | Promise<void> {
      return settleSends(request, middleware)
    },
    onError: async function backendsOnError(request: MiddyRequest): Promise<void> {
      try {
        await settleSends(request, middleware)
      } catch (error) {
        logSafely(defaultLogger, 'error', 'A message was not sent', error)
        // Who has answered the first error did not know of this one; who has not answers this one.
        if (request.response !== undefined) throw error
        request.error = Object.assign(error as Error, { originalError: request.error })
      }
    },
  }
  return middleware
}

/** Calls a function when its value is first needed. The `backends()` of a record take the getter over. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** @throws TypeError */
function checkBackends(options: Readonly<Record<string, BackendOption>>): void {
  for (const [name, backend] of Object.entries(options)) {
    if (name === 'transaction') throw new TypeError('backends(): "transaction" is the name of a method')
    if (!isBackend(backend) && !isFactory(backend))
      throw new TypeError(`backends(): "${name}" is neither a backend nor a function that makes one`)
  }
}

/** Puts the backends beside those that an earlier `backends()` has put into the context. */
function placeBackends(
  context: Record<string, unknown>,
  options: Readonly<Record<string, BackendOption>>,
): void {
  // Descriptors, because a spread would call the functions that earlier `backends()` hold for later.
  const made: Record<string, unknown> = Object.defineProperties(
    {},
    Object.getOwnPropertyDescriptors(context['backends'] ?? {}),
  )
  const define = (name: string, property: PropertyDescriptor): void => {
    Object.defineProperty(made, name, { configurable: true, enumerable: true, ...property })
  }
  for (const [name, backend] of Object.entries(options)) {
    if (typeof backend === 'function')
      define(name, { get: once(() => (backend as (context: unknown) => unknown)(context)) })
    else define(name, { value: backend })
  }
  // Not listed, so that a copy of the backends holds backends only.
  define('transaction', {
    enumerable: false,
    value: (run: (backends: object) => Promise<unknown>, options?: TransactionOptions) =>
      flushTogether(made, run, options),
  })
  context['backends'] = made
}

/** What backends can do: each has some of it. */
const capabilities = ['create', 'createMany', 'find', 'findMany', 'where', 'query', 'update', 'put', 'delete']

/** A model, options or a client have none of it. */
function isBackend(value: unknown): boolean {
  const backend = asRecord(value)
  return backend !== undefined && capabilities.some((capability) => typeof backend[capability] === 'function')
}

/** A function, but for a class: that cannot be called without `new`. */
function isFactory(value: unknown): boolean {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value))
}

function hasTransactions(backend: unknown): backend is Transacts {
  return typeof (backend as Partial<Transacts> | null)?.within === 'function'
}

/** Runs a function with the backends of one transaction. */
async function flushTogether(
  made: Readonly<Record<string, unknown>>,
  run: (backends: object) => Promise<unknown>,
  options?: TransactionOptions,
): Promise<unknown> {
  const first = Object.values(made).find(hasTransactions)
  if (first === undefined)
    throw new ConfigurationError('backends.transaction() needs a backend that has transactions: SqlBackend')
  return first.transaction(async (_, transaction) => {
    const bound = Object.entries(made).map(async ([name, backend]) => [
      name,
      hasTransactions(backend) ? await backend.within(transaction) : backend,
    ])
    return run(Object.fromEntries(await Promise.all(bound)) as object)
  }, options)
}
