import { currentScope, recordScope } from './scope.ts'

/** What {@link currentInvocation} tells. */
export interface CurrentInvocation {
  /** Lambda's id of the invocation; `undefined` where the context has none. */
  readonly requestId: string | undefined
  /** The request's `source`; `undefined` where no normalizer has read the event. */
  readonly source: string | undefined
  /** The record that is worked, inside `eachRecord()`. */
  readonly record?: { readonly id: string }
  /** When Lambda ends the invocation, in milliseconds as `Date.now()` counts; `Infinity` where nobody tells. */
  readonly deadline: number
}

/**
 * The invocation, and the record, that the calling code belongs to; `undefined` outside of a chain. For loggers: any
 * number of invocations and records run beside each other in one process.
 *
 * @example
 * ```ts
 * import { currentInvocation } from 'clearskies-middy'
 *
 * export function log(message: string): void {
 *   const { requestId, record } = currentInvocation() ?? {}
 *   console.log(JSON.stringify({ message, requestId, messageId: record?.id }))
 * }
 * ```
 */
export function currentInvocation(): CurrentInvocation | undefined {
  const scope = currentScope()
  if (scope === undefined) return undefined
  const { requestId, source, deadline } = scope
  const id = recordScope()?.recordId
  return { requestId, source, ...(id !== undefined && { record: { id } }), deadline }
}
