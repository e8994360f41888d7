import type { Context } from 'aws-lambda'
import type { MiddyRequest, Middleware } from '../types.ts'

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

/** A backend that may hold something back for a moment, to send it along with more. */
export interface Flushes {
  /** Resolves when nothing is pending; rejects if something was lost that nobody was told of. */
  flush(): Promise<void>
}

/**
 * Puts backends into the context, and waits for what they still have to send before the response leaves.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { MemoryBackend } from 'clearskies-middy/backends/memory'
 * import { model } from 'clearskies-middy/backends/model'
 * import { backends } from 'clearskies-middy/middleware/backends'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 * import { z } from 'zod'
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
): Middleware<unknown, { readonly backends: Backends<TOptions> }> {
  for (const [name, backend] of Object.entries(options)) {
    if ((typeof backend !== 'object' && typeof backend !== 'function') || (backend as unknown) === null) {
      throw new TypeError(`backends(): "${name}" is neither a backend nor a function that makes one`)
    }
  }

  function place(context: Record<string, unknown>): void {
    // Descriptors, because a spread would call the functions that earlier `backends()` hold for later.
    const made = Object.defineProperties(
      {},
      Object.getOwnPropertyDescriptors(context['backends'] ?? {}),
    ) as Record<string, unknown>
    for (const [name, backend] of Object.entries(options)) {
      if (typeof backend !== 'function') {
        Object.defineProperty(made, name, { value: backend, enumerable: true, configurable: true })
        continue
      }
      Object.defineProperty(made, name, {
        configurable: true,
        enumerable: true,
        get() {
          const value = (backend as (context: unknown) => unknown)(context)
          Object.defineProperty(made, name, { value, enumerable: true, configurable: true })
          return value
        },
      })
    }
    context['backends'] = made
  }

  function flush({ context }: MiddyRequest): void | Promise<void> {
    const { backends: made = {} } = context as unknown as { backends?: object }
    const pending: Promise<void>[] = []
    for (const name of Object.keys(options)) {
      // A value only: a getter still standing means that the handler never asked for the backend.
      const backend = Object.getOwnPropertyDescriptor(made, name)?.value as Partial<Flushes> | undefined
      const flushing = backend?.flush?.()
      if (flushing !== undefined) pending.push(flushing)
    }
    if (pending.length > 0) return Promise.all(pending).then(() => undefined)
  }

  return {
    before: function backendsBefore(request: MiddyRequest): void {
      place(request.context as unknown as Record<string, unknown>)
    },
    after: function backendsAfter(request: MiddyRequest): void | Promise<void> {
      return flush(request)
    },
    onError: function backendsOnError(request: MiddyRequest): void | Promise<void> {
      return flush(request)
    },
  }
}
