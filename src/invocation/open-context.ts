import type { MiddyRequest } from '../core/middy.ts'

/** The context, to put something into it. One that is frozen gives place to a copy. */
export function openContext(request: MiddyRequest): Record<string, unknown> {
  if (!Object.isExtensible(request.context)) request.context = { ...request.context }
  return request.context as unknown as Record<string, unknown>
}
