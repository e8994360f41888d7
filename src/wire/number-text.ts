/**
 * One text per number, however it is written: `1e21`, `1E+21` and a 1 with 21 zeros are the same. Numbers of DynamoDB have
 * more digits than those of JavaScript, by which they cannot be compared.
 */
export function numberId(text: string): string {
  const { digits, exponent } = partsOf(text)
  return digits === '0' ? '0' : `${digits}e${exponent}`
}

/** The whole number that a text is, if it is one. */
export function wholeNumber(text: string): bigint | undefined {
  const { digits, exponent } = partsOf(text)
  return exponent < 0 ? undefined : BigInt(digits) * 10n ** BigInt(exponent)
}

const pattern = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i

/** The digits that count, with their sign, and the power of ten that they are taken by. */
function partsOf(text: string): { readonly digits: string; readonly exponent: number } {
  const [, sign, whole = '', fraction = '', power = '0'] = pattern.exec(text) ?? []
  const all = `${whole}${fraction}`.replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return { digits: '0', exponent: 0 }
  const exponent = Number(power) - fraction.length + all.length - digits.length
  return { digits: sign === '-' ? `-${digits}` : digits, exponent }
}
