import type { Context } from 'aws-lambda'
import type { MiddyRequest, Middleware } from '../core/middy.ts'
import { errorOf } from '../core/thrown-response.ts'
import { awaitSends, opensInvocation, settleSends } from './middy-request.ts'

/** A normalizer of events that are one request each. What the handler returns is answered, and errors propagate. */
export function normalizesEvent<TRequest>(
  read: (event: unknown, context: Context) => TRequest,
  encode: (result: unknown) => unknown = (result) => result,
): Middleware<TRequest> {
  function answer(request: MiddyRequest): void {
    request.response = encode(request.response)
  }

  const middleware = {
    before: function eventBefore(request: MiddyRequest): void | Promise<void> {
      return opensInvocation(request, () => {
        awaitSends(request, middleware)
        request.event = read(request.event, request.context)
      })
    },
    after: function eventAfter(request: MiddyRequest): void | Promise<void> {
      const settling = settleSends(request, middleware)
      if (settling === undefined) answer(request)
      else
        return settling.then(() => {
          answer(request)
        })
    },
    onError: function eventOnError(request: MiddyRequest): Promise<void> | undefined {
      const error = errorOf(request.error)
      if (error !== request.error) Object.assign(request, { error })
      // The error that there is already is the one to tell.
      return settleSends(request, middleware)?.catch(() => undefined)
    },
  }
  return middleware
}
