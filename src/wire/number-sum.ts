import { numberId, plainNumber } from './number-text.ts'

/** The sum of two numbers, digit by digit: JavaScript's own would round what a database holds exactly. */
export function sumOf(a: string, b: string): string {
  const [left, right] = [partsOf(a), partsOf(b)]
  const exponent = Math.min(left.exponent, right.exponent)
  const scaled = ({ digits, exponent: own }: NumberParts): bigint => digits * 10n ** BigInt(own - exponent)
  const text = `${scaled(left) + scaled(right)}e${exponent}`
  return plainNumber(text) ?? text
}

/** A whole number, and the power of ten that multiplies it. */
interface NumberParts {
  readonly digits: bigint
  readonly exponent: number
}

function partsOf(text: string): NumberParts {
  const [digits = '0', exponent = '0'] = numberId(text).split('e')
  return { digits: BigInt(digits), exponent: Number(exponent) }
}
