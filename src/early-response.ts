import type { MiddyRequest } from './types.ts'

type Finish = (response: unknown) => unknown

const finishers = new WeakMap<MiddyRequest, Finish[]>()

/**
 * Lets a middleware have a last word on a response that Middy leaves with past every `after`: when a `before` returns a
 * value, or a later `after` or `onError` does. Then, and only then, Middy reads `request.response` once more and awaits
 * what it finds there.
 */
export function onEarlyResponse(request: MiddyRequest, finish: Finish): void {
  const list = finishers.get(request)
  if (list !== undefined) {
    list.push(finish)
    return
  }
  const all = [finish]
  finishers.set(request, all)
  let response: unknown = request.response
  let finished: Promise<unknown> | undefined
  Object.defineProperty(request, 'response', {
    configurable: true,
    enumerable: true,
    get() {
      if (!('earlyResponse' in request)) return response
      // An error without an answer is thrown on by Middy, as long as it finds nothing here.
      if (request.error !== undefined && request.error !== null && response === undefined) return undefined
      return (finished ??= finishAll(all, response))
    },
    set(value: unknown) {
      response = value
      finished = undefined
    },
  })
}

async function finishAll(list: readonly Finish[], response: unknown): Promise<unknown> {
  let value = response
  for (const finish of list) value = await finish(value)
  return value
}
