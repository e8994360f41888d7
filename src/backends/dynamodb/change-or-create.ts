import { ConflictError, NotFoundError } from '../../errors/index.ts'

/** How often an item may come or go between the two requests. */
const maxRounds = 3

/** Changes an item, or creates it where there is none; again, where another writer was faster. */
export async function changeOrCreate<T>(change: () => Promise<T>, create: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change()
    } catch (error) {
      if (isRace(error) && attempt < maxRounds) continue
      if (!(error instanceof NotFoundError)) throw error
    }
    try {
      return await create()
    } catch (error) {
      if (!isRace(error) || attempt === maxRounds) throw error
    }
  }
}

/** What another writer did since is found by the next request. */
function isRace(error: unknown): boolean {
  return error instanceof ConflictError && !error.ambiguous
}
