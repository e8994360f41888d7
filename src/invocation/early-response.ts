import type { MiddyRequest } from '../core/middy.ts'

type Finish = (response: unknown) => unknown

/** A request's response, and who has a last word on it. */
interface Held {
  readonly finishers: Finish[]
  keep: Finish | undefined
  response: unknown
  finished: Promise<unknown> | undefined
}

const held = Symbol('clearskies-middy response')

type HeldRequest = MiddyRequest & { [held]?: Held; earlyResponse?: unknown }

/** One for all requests: an accessor made for each would cost a multiple of what small batches take. */
const accessor: PropertyDescriptor & ThisType<Required<HeldRequest>> = {
  configurable: true,
  enumerable: true,
  get() {
    const { response, finishers } = this[held]
    if (!('earlyResponse' in this)) return response
    // An error without an answer is thrown on by Middy, as long as it finds nothing here.
    if (this.error !== undefined && this.error !== null && response === undefined) return undefined
    return (this[held].finished ??= finishAll(finishers, response))
  },
  set(value: unknown) {
    const { keep } = this[held]
    this[held].response = keep === undefined ? value : keep(value)
    this[held].finished = undefined
  },
}

/**
 * Lets a middleware have a last word on a response that Middy leaves with past every `after`: when a `before` returns a
 * value, or a later `after` or `onError` does. Then, and only then, Middy reads `request.response` once more and awaits
 * what it finds there.
 */
export function finalizeResponse(request: MiddyRequest, finish: Finish): void {
  hold(request).finishers.push(finish)
}

/** From now on, what any middleware sets as the response is what `keep` makes of it; so is what is there already. */
export function pinResponse(request: MiddyRequest, keep: Finish): void {
  const its = hold(request)
  its.keep = keep
  request.response = its.response
}

function hold(request: HeldRequest): Held {
  if (request[held] === undefined) {
    request[held] = { finishers: [], keep: undefined, response: request.response, finished: undefined }
    Object.defineProperty(request, 'response', accessor)
  }
  return request[held]
}

async function finishAll(list: readonly Finish[], response: unknown): Promise<unknown> {
  let value = response
  for (const finish of list) value = await finish(value)
  return value
}
