/**
 * Gives the same text for all spellings of a number: `1e21`, `1E+21`, and a 1 with 21 zeros. DynamoDB's numbers have up
 * to 38 digits, so JavaScript's numbers cannot tell whether two are equal.
 */
export function numberId(text: string): string {
  const { digits, exponent } = decimalParts(text)
  return digits === '0' ? '0' : `${digits}e${exponent}`
}

/** The number that a text spells, or `undefined` if it is not whole. */
export function wholeNumber(text: string): bigint | undefined {
  const { digits, exponent } = decimalParts(text)
  return exponent < 0 ? undefined : BigInt(digits) * 10n ** BigInt(exponent)
}

/** The number that a text spells, if JavaScript can hold it exactly: as one that is printed as the same decimal. */
export function doubleOf(text: string): number | undefined {
  if (!/\d/.test(text) || !pattern.test(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) && numberId(String(number)) === numberId(text) ? number : undefined
}

const pattern = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i

/** A number's sign and digits, without zeros at either end, and the power of ten that multiplies them. */
function decimalParts(text: string): { readonly digits: string; readonly exponent: number } {
  const [, sign, whole = '', fraction = '', power = '0'] = pattern.exec(text) ?? []
  const all = `${whole}${fraction}`.replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return { digits: '0', exponent: 0 }
  const exponent = Number(power) - fraction.length + all.length - digits.length
  return { digits: sign === '-' ? `-${digits}` : digits, exponent }
}

/**
 * Whether a number is what its text says, so that it can be written as it was read: beyond 2^53, one of at most 15 digits
 * and zeros, such as 1e20, or one that JavaScript writes with an exponent.
 */
export function isExact(value: number): boolean {
  if (!Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 1e21) return true
  return Number(value.toPrecision(15)) === value
}
