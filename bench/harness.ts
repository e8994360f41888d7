import { cpus, totalmem } from 'node:os'

/** One way of doing the work that is compared. */
export interface Contender {
  readonly name: string
  /** Does the work `count` times; what it needs anew for each is made by `prepare`, outside the clock. */
  readonly run: (inputs: readonly unknown[]) => Promise<void>
  readonly prepare: (count: number) => unknown[]
}

/** What one contender took. */
export interface Measurement {
  readonly name: string
  /** Microseconds per piece of work, the median of all rounds. */
  readonly median: number
  /** Beside the first contender's. */
  readonly ratio: number
}

export interface CompareOptions {
  /** Pieces of work in a round. @default 2000 */
  readonly count?: number
  /** @default 41 */
  readonly rounds?: number
  /** Rounds that are run first and not counted. @default 10 */
  readonly warmUp?: number
  /** Pieces of work that are prepared at a time. @default 50 */
  readonly batch?: number
}

/**
 * Measures contenders in one process and one run: round by round, each in turn, every round starting with another, so
 * that whatever else the machine does meets all of them.
 */
export async function compare(
  contenders: readonly Contender[],
  { count = 2000, rounds = 41, warmUp = 10, batch = 50 }: CompareOptions = {},
): Promise<Measurement[]> {
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round++) {
    const shift = Math.abs(round) % contenders.length
    for (const contender of [...contenders.slice(shift), ...contenders.slice(0, shift)]) {
      let nanoseconds = 0n
      // Few at a time: what an invocation reads was made a moment before, and is still in the processor's caches.
      for (let done = 0; done < count; done += batch) {
        const inputs = contender.prepare(Math.min(batch, count - done))
        const started = process.hrtime.bigint()
        await contender.run(inputs)
        nanoseconds += process.hrtime.bigint() - started
      }
      const elapsed = Number(nanoseconds) / 1000 / count
      if (round >= 0) times.get(contender.name)?.push(elapsed)
    }
  }
  const medians = contenders.map(({ name }) => median(times.get(name) ?? []))
  return contenders.map(({ name }, index) => ({
    name,
    median: medians[index] as number,
    ratio: (medians[index] as number) / (medians[0] as number),
  }))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** A table, columns as wide as they need to be. */
export function table(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = header.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join('  ')
  return [`\n${title}`, line(header), ...rows.map(line)].join('\n')
}

export function machine(): string {
  return `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
}
