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
  if (!isNumberText(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) && numberId(String(number)) === numberId(text) ? number : undefined
}

/** Larger exponents than any database has, which would be as many zeros. */
const maxExponent = 1000

/** The one text of a number that has neither an exponent nor a zero too many; `undefined` for what spells no number. */
export function plainNumber(text: string): string | undefined {
  if (!isNumberText(text)) return undefined
  const { digits: signed, exponent } = decimalParts(text)
  if (Math.abs(exponent) > maxExponent) return undefined
  const sign = signed.startsWith('-') ? '-' : ''
  const digits = signed.slice(sign.length)
  if (exponent >= 0) return `${sign}${digits}${'0'.repeat(exponent)}`
  const all = digits.padStart(1 - exponent, '0')
  return `${sign}${all.slice(0, exponent)}.${all.slice(exponent)}`
}

/** How many digits of a number matter: no zeros at either end. */
export function digitsOf(text: string): number {
  return decimalParts(text).digits.replace('-', '').length
}

function isNumberText(text: string): boolean {
  return pattern.test(text) && /\d/.test(text)
}

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i

/** A number's sign and digits, without zeros at either end, and the power of ten that multiplies them. */
function decimalParts(text: string): { readonly digits: string; readonly exponent: number } {
  const [, sign, whole = '', fraction = '', power = '0'] = pattern.exec(text) ?? []
  const all = `${whole}${fraction}`.replace(/^0+/, '')
  const digits = all.slice(0, endWithoutZeros(all))
  if (digits === '') return { digits: '0', exponent: 0 }
  const exponent = Number(power) - fraction.length + all.length - digits.length
  return { digits: sign === '-' ? `-${digits}` : digits, exponent }
}

/** A pattern would begin anew at each zero of a long number. */
function endWithoutZeros(digits: string): number {
  let end = digits.length
  while (end > 0 && digits[end - 1] === '0') end--
  return end
}

/**
 * Whether a number is what its text says, so that it can be written as it was read: beyond 2^53, one of at most 15 digits
 * and zeros, such as 1e20, or one that JavaScript writes with an exponent.
 */
export function isExact(value: number): boolean {
  if (!Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 1e21) return true
  return Number(value.toPrecision(15)) === value
}
