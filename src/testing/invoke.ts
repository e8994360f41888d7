import type { AnyHandler } from '../core/middy.ts'
import type { Context } from 'aws-lambda'
import { lambdaContext } from './lambda-context.ts'

export type { AnyHandler } from '../core/middy.ts'

/**
 * Invokes a handler as Lambda does: the event and the result pass through JSON, and every invocation has a context of
 * its own.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { invocation } from 'clearskies-middy/normalizers/invocation'
 * import { invoke } from 'clearskies-middy/testing'
 *
 * const handler = middy().use(invocation()).handler(async ({ data }) => ({ received: data }))
 * console.log(await invoke(handler, { id: 7 })) // { received: { id: 7 } }
 * ```
 */
// The result is whatever the handler gives; naming it is up to the caller.

export async function invoke<TResult = unknown>(
  handler: AnyHandler,
  event: unknown,
  context: Context = lambdaContext(),
): Promise<TResult> {
  const result: unknown = await handler(throughJson(event), context)
  return throughJson(result) as TResult
}

function throughJson(value: unknown): unknown {
  const json = JSON.stringify(value) as string | undefined
  return json === undefined ? null : (JSON.parse(json) as unknown)
}
