import type { Outcome, Outcomes, ReadOptions, SecretRef, SecretStore } from './store.ts'

/** Reads secrets by as few calls as a store allows. Gives the outcomes in the order of the secrets. */
export async function readInBatches(
  reader: Pick<SecretStore, 'batches' | 'read'>,
  refs: readonly SecretRef[],
  options: ReadOptions,
): Promise<Outcomes> {
  const batches = reader.batches(refs)
  const outcomes = await Promise.all(batches.map((batch) => reader.read(batch, options)))
  const read = new Map<string, Outcome | Promise<Outcome>>()
  for (const [index, batch] of batches.entries())
    for (const [place, { key }] of batch.entries()) {
      const outcome = outcomes[index]?.[place]
      if (outcome !== undefined) read.set(key, outcome)
    }
  return refs.map(({ key }) => read.get(key) ?? new Error(`The store did not speak of "${key}"`))
}
