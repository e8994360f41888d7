import type { Member, Shape } from './sdk-shapes.ts'
import { seededRandom } from './seeded-random.ts'

const texts = [
  '',
  'a',
  'null',
  '0',
  'é€😀',
  '\u0000\n\t"\\/',
  '\u2028',
  '\ud800 alone',
  ' a b ',
  'x'.repeat(300),
]
const numbers = [0, -0, 1, -1, 0.1, 1e21, 5e-7, 2 ** 53 - 1, -(2 ** 53), 1.5e300, 123456.789]
const times = [0, 1, 1_700_000_000, 1_700_000_000.123, 253_402_300_799]
const names = ['a', 'B', 'M', 'Item', 'null', 'é', 'toString', 'constructor', '']
/** The SDK loses the value of this name in an answer. */
const inputNames = [...names, '__proto__']

/** Random values of a shape, the same for the same seed. Seed 0 has every member, and bytes where there may be any. */
export class RandomValues {
  readonly #random: () => number
  readonly #isWhole: boolean

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#isWhole = seed === 0
  }

  /** As a caller gives it: bytes, dates, and members that are `undefined` or `null`. */
  input(shape: Shape): object {
    return this.#value(shape, 0, true) as object
  }

  /** As a service sends it: bytes as base64, times as seconds. */
  output(shape: Shape): object {
    return this.#value(shape, 0, false) as object
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  #value(shape: Shape, depth: number, isInput: boolean): unknown {
    switch (shape.kind) {
      case 'nothing':
        return {}
      case 'text':
        return this.pick(texts)
      case 'number':
        return this.pick(numbers)
      case 'boolean':
        return this.#random() < 0.5
      case 'time':
        return isInput ? new Date(this.pick(times) * 1000) : this.pick(times)
      case 'bytes':
        return isInput ? this.#bytes() : Buffer.from(this.#bytes()).toString('base64')
      case 'list':
        return Array.from({ length: this.#count(depth) }, () =>
          this.#value(shape.element(), depth + 1, isInput),
        )
      case 'map':
        return Object.fromEntries(
          Array.from({ length: this.#count(depth) }, () => [
            this.pick(isInput ? inputNames : names),
            this.#value(shape.element(), depth + 1, isInput),
          ]),
        )
      case 'structure':
      case 'union':
        return this.#members(shape, depth, isInput)
    }
  }

  #members(shape: Extract<Shape, { members: unknown }>, depth: number, isInput: boolean): object {
    const all = shape.members()
    const chosen =
      shape.kind === 'union'
        ? [this.#memberOfUnion(all, depth)]
        : all.filter(() => this.#random() < this.#chance(depth))
    const value: Record<string, unknown> = {}
    for (const { name, shape: of, isToken } of chosen)
      // With a token that is `null`, the SDK writes what is no JSON.
      value[name] = this.#isNull(shape) && !isToken ? null : this.#value(of, depth + 1, isInput)
    if (isInput && shape.kind === 'structure' && this.#random() < 0.2)
      value[this.pick([...all.map(({ name }) => name), 'Unknown'])] = undefined
    return value
  }

  #chance(depth: number): number {
    if (this.#isWhole && depth < 9) return 1
    return depth > 4 ? 0.1 : depth > 2 ? 0.4 : 0.7
  }

  /** Below a depth only what ends: attributes hold attributes. */
  #memberOfUnion(all: readonly Member[], depth: number): Member {
    const bytes = this.#isWhole ? all.find(({ shape }) => shape.kind === 'bytes') : undefined
    if (bytes !== undefined) return bytes
    const ends = all.filter(({ shape }) => !['list', 'map', 'structure', 'union'].includes(shape.kind))
    return this.pick(depth > 5 && ends.length > 0 ? ends : all)
  }

  /** Now and then a member of a structure is `null`. */
  #isNull({ kind }: Shape): boolean {
    return !this.#isWhole && kind === 'structure' && this.#random() < 0.05
  }

  #count(depth: number): number {
    if (this.#isWhole && depth < 9) return 1
    return Math.floor(this.#random() * (depth > 3 ? 2 : 4))
  }

  #bytes(): Uint8Array {
    const length = this.pick([0, 1, 2, 3, 7])
    const memory = Uint8Array.from({ length: length + 2 }, () => Math.floor(this.#random() * 256))
    return this.pick([
      memory.slice(1, 1 + length),
      memory.subarray(1, 1 + length),
      Buffer.from(memory.subarray(2)),
    ])
  }
}
