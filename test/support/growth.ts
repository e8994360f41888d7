import { expect } from 'vitest'

/** Processor time of work that is done often enough to be measured, each time on a new input. */
async function costOf(work: () => unknown): Promise<number> {
  let calls = 0
  const started = process.cpuUsage()
  for (;;) {
    await work()
    calls++
    const { user, system } = process.cpuUsage(started)
    if (user + system > 20_000) return (user + system) / calls
  }
}

/**
 * Does work on n and on 4n. Linear work takes four times as long, quadratic work sixteen times. It fails only if the ratio is
 * above ten in three rounds running.
 */
export async function growsLinearly(make: (size: number) => () => unknown, size: number): Promise<void> {
  const [small, large] = [make(size), make(size * 4)]
  await small()
  await large()
  const ratios: number[] = []
  do {
    const cost = await costOf(small)
    ratios.push((await costOf(large)) / cost)
  } while ((ratios.at(-1) ?? 0) > 10 && ratios.length < 3)
  expect(Math.min(...ratios)).toBeLessThan(10)
}
