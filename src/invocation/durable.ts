import { ConfigurationError } from '../errors/index.ts'
import { awaitedScope } from './scope.ts'

/** How the SDK of durable executions marks its contexts. */
const durableBrand = Symbol.for('@aws/durable-execution-sdk-js/durable-context')

/** The operations behind which an execution may be suspended. */
const operations = [
  ...['step', 'wait', 'invoke', 'runInChildContext', 'map', 'parallel'],
  ...['createCallback', 'waitForCallback', 'waitForCondition'],
]

type AnyFunction = (...args: unknown[]) => unknown

/**
 * Makes an unawaited send an error in a durable execution, in front of each operation and behind each function that an
 * operation calls: when an execution is suspended no middleware is told, and nothing can be waited for. Other contexts
 * stay as they are.
 */
export function guardOperations(context: unknown): void {
  if (typeof context !== 'object' || context === null || Reflect.get(context, durableBrand) !== true) return
  for (const name of operations) {
    const operation: unknown = Reflect.get(context, name)
    // What stands on the context itself is guarded already.
    if (!isFunction(operation) || Object.hasOwn(context, name)) continue
    const guarded = (...args: unknown[]): unknown => {
      refuseUnawaited()
      return Reflect.apply(operation, context, args.map(guardFunction))
    }
    Object.defineProperty(context, name, { value: guarded, configurable: true, writable: true })
  }
}

/** Guards a function of the user's, which may be given a context of its own. */
function guardFunction(arg: unknown): unknown {
  if (!isFunction(arg)) return arg
  return async (...args: unknown[]) => {
    args.forEach(guardOperations)
    const result = await arg(...args)
    refuseUnawaited()
    return result
  }
}

function refuseUnawaited(): void {
  if (awaitedScope()?.isUnawaited === true)
    throw new ConfigurationError(
      'A message was sent that nobody awaits, and a durable execution may be suspended before it is sent: await it, in a step',
    )
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}
