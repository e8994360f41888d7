import { InvalidDataError } from '../errors/index.ts'

/** A value cannot be stored. The path is put together while the error passes up, so that good values cost nothing. */
export class Unstorable extends Error {
  readonly path: (string | number)[] = []
}

/** The error with one more place in front of its path. */
export function withPlace(error: unknown, place: string | number): unknown {
  if (error instanceof Unstorable) error.path.unshift(place)
  return error
}

/** The error as a caller sees it, with its path: `tags[1].name`. */
export function explainedUnstorable(error: unknown): unknown {
  if (!(error instanceof Unstorable)) return error
  const [column = 'The item', ...places] = error.path
  const path = places.map((place) => (typeof place === 'number' ? `[${place}]` : `.${place}`)).join('')
  return new InvalidDataError(`${column}${path} ${error.message}`)
}
