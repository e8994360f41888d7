import { ClearskiesError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'

/** What an error is about. */
export interface LocatedPlace {
  readonly table?: string | undefined
  readonly region?: string | undefined
}

/**
 * An error with fields that tell operators what it is about. Its message names it, too, where it is one of a client or a
 * driver: the library's own messages may reach a caller.
 */
export function located<T>(error: T, place: LocatedPlace): T {
  const failure = asRecord(error)
  if (failure === undefined || !Object.isExtensible(failure)) return error
  for (const name of ['table', 'region'] as const)
    if (place[name] !== undefined && !(name in failure))
      Object.defineProperty(failure, name, { value: place[name], enumerable: true, configurable: true })
  const { message } = failure
  const isForeign = !(error instanceof ClearskiesError) && typeof message === 'string'
  if (isForeign && place.table !== undefined && !message.includes(place.table))
    Reflect.set(failure, 'message', `${message} (${[place.table, place.region ?? []].flat().join(', ')})`)
  return error
}
