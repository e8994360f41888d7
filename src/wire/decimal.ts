import { plainNumber } from './number-text.ts'

/** A number that keeps all of its digits, where JavaScript's numbers would round it. */
export class Decimal {
  /** One text for each number, without an exponent: `1.5`, `-20`. */
  readonly text: string

  private constructor(text: string) {
    this.text = text
  }

  /** The number that a text spells, or that a number is; `undefined` for anything else. */
  static of(value: unknown): Decimal | undefined {
    if (value instanceof Decimal) return value
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined
    const text = plainNumber(String(value))
    return text === undefined ? undefined : new Decimal(text)
  }

  /** Negative below another number, positive above it. */
  compare(other: Decimal): number {
    const [a, b] = [this.text, other.text]
    if (a === b) return 0
    const isNegative = a.startsWith('-')
    if (isNegative !== b.startsWith('-')) return isNegative ? -1 : 1
    return isNegative ? -compareSizes(a, b) : compareSizes(a, b)
  }
}

/** Of two that differ, by how long the whole parts are, and then digit by digit. */
function compareSizes(a: string, b: string): number {
  const [wholeA = '', wholeB = ''] = [a.split('.')[0], b.split('.')[0]]
  if (wholeA.length !== wholeB.length) return wholeA.length - wholeB.length
  return a < b ? -1 : 1
}
