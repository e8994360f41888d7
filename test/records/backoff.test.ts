import { exponentialBackoff, fibonacciBackoff, linearBackoff } from 'clearskies-middy/normalizers/backoff'
import { describe, expect, it } from 'vitest'

const waits = (backoff: (receiveCount: number) => number, ...counts: readonly number[]): number[] =>
  counts.map((count) => backoff(count))

describe('seconds until the next attempt, by how often a message was received', () => {
  it.each([
    ['exponential', exponentialBackoff, [10, 20, 40, 80, 160, 320, 640, 900]],
    ['linear', linearBackoff, [10, 20, 30, 40, 50, 60, 70, 80]],
    ['fibonacci', fibonacciBackoff, [10, 10, 20, 30, 50, 80, 130, 210]],
  ])('%s', (_, backoff, expected) => {
    expect(waits(backoff(), 1, 2, 3, 4, 5, 6, 7, 8)).toEqual(expected)
    expect(waits(backoff({ base: 1 }), 1, 2, 3)).toEqual(expected.slice(0, 3).map((wait) => wait / 10))
    expect(waits(backoff({ max: 15 }), 1, 100)).toEqual([10, 15])
    expect(backoff()(0)).toBe(10)
    for (const count of [10_000, 1e9, Infinity]) expect(backoff({ max: 43_200 })(count)).toBe(43_200)
  })

  it('jitter leaves at most its share of the wait to chance, and never lengthens it', () => {
    const at = (random: number) => exponentialBackoff({ jitter: 0.5, random: () => random })(3)
    expect([at(0), at(0.25), at(0.5), at(1)]).toEqual([40, 35, 30, 20])
    const drawn = Array.from({ length: 200 }, () => exponentialBackoff({ jitter: 0.5 })(3))
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(20)
    expect(Math.max(...drawn)).toBeLessThanOrEqual(40)
    expect(new Set(drawn).size).toBeGreaterThan(5)
  })
})
