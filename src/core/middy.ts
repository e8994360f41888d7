import type middy from '@middy/core'
import type { Context } from 'aws-lambda'

/**
 * The Middy middleware that every factory of this package returns. It declares only what it leaves behind: the event
 * (`TEvent`) and what it adds to the context (`TContext`). Middy's `use()` intersects these along the chain, so the
 * handler's parameters need no annotation.
 *
 * @example
 * ```ts
 * import type { Middleware } from 'clearskies-middy'
 *
 * export function clock(): Middleware<unknown, { readonly now: Date }> {
 *   return {
 *     before: function clockBefore(request): void {
 *       Object.assign(request.context, { now: new Date() })
 *     },
 *   }
 * }
 * ```
 */
export type Middleware<TEvent = unknown, TContext = unknown> = middy.MiddlewareObj<
  TEvent,
  // `any` is Middy's own default for results. With another type a middleware does not fit into a chain with others.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  any,
  Error,
  Context & TContext
>

/**
 * The context that a chain gives to its handler. Use it for a function that is declared elsewhere, where the compiler
 * cannot infer the type.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { type ContextOf, type SqsRequest, eachRecord, sqs } from 'clearskies-middy'
 * import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
 *
 * const chain = middy().use(sqs()).use(parameterStore())
 *
 * async function workOrder({ data }: SqsRequest, { secrets }: ContextOf<typeof chain>) {
 *   console.log(data, await secrets.get('/shop/signing-key'))
 * }
 *
 * export const handler = chain.handler(eachRecord(workOrder))
 * ```
 */
/* eslint-disable @typescript-eslint/no-explicit-any */
export type ContextOf<TChain> =
  TChain extends middy.MiddyfiedHandler<any, any, any, infer TContext, any> ? TContext : never
/* eslint-enable @typescript-eslint/no-explicit-any */

/** The request object that Middy gives to a middleware's hooks. Nothing is assumed of its event and result. */
export type MiddyRequest = middy.Request<unknown, unknown, unknown>

/** A Lambda handler, of whatever types: Middy types its handlers by what the normalizer leaves, not by what Lambda sends. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyHandler = (event: any, context: any, ...rest: any[]) => unknown
