import { asRecord } from '../core/record.ts'

/** Milliseconds that a context's invocation has left; `Infinity` where nobody tells, in tests and containers. */
export function remainingTimeOf(context: object): number {
  // A durable execution keeps Lambda's context one level deeper.
  const { lambdaContext } = context as { readonly lambdaContext?: unknown }
  return (clock(context) ?? clock(asRecord(lambdaContext)))?.getRemainingTimeInMillis() ?? Infinity
}

interface Clock {
  getRemainingTimeInMillis(): number
}

function clock(context: object | undefined): Clock | undefined {
  const clock = context as Partial<Clock> | undefined
  return typeof clock?.getRemainingTimeInMillis === 'function' ? (clock as Clock) : undefined
}
