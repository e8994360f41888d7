import fc from 'fast-check'

/** A value as DynamoDB can hold it, and as it comes back. */
export interface Value {
  readonly given: unknown
  readonly back: unknown
}

const same = (given: unknown): Value => ({ given, back: given })
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom('', '😀', '\u0000', 'a'.repeat(300)),
)

/** Names that objects have of themselves are names like any other. */
const name = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a.b', 'S'),
  },
)

/** Numbers that DynamoDB holds, and that JavaScript writes and reads as they are. */
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0.1, 1e21, 6.02e23, 1e125, 1e-130, Number.MAX_SAFE_INTEGER, 5e-7),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })
    .filter((one) => one === 0 || Math.abs(one) >= 1e-130),
)
const bigint = fc.maxSafeInteger().map((one): Value => ({ given: BigInt(one), back: one }))
const date = fc
  .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-01-01') })
  .map((given): Value => ({ given, back: given.toISOString() }))
const bytes = fc.uint8Array({ maxLength: 8 })

const positive = (one: number): number => (one === 0 ? 0 : one)
const sets = fc.oneof(
  fc.uniqueArray(text, { minLength: 1, maxLength: 4 }),
  fc.uniqueArray(number.map(positive), { minLength: 1, maxLength: 4 }),
  fc.uniqueArray(bytes, { minLength: 1, maxLength: 4, selector: (one) => Buffer.from(one).toString('hex') }),
)

const scalar: fc.Arbitrary<Value> = fc.oneof(
  text.map(same),
  number.map((given) => ({ given, back: positive(given) })),
  bigint,
  date,
  bytes.map(same),
  fc.boolean().map(same),
  fc.constant(same(null)),
  sets.map((members) => same(new Set<unknown>(members))),
)

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc
      .array(tie('value'), { maxLength: 4 })
      .map((list): Value => ({ given: list.map(({ given }) => given), back: list.map(({ back }) => back) })),
    entriesOf(tie('value')).map(mapOf),
  ),
}))

function entriesOf(member: fc.Arbitrary<Value>): fc.Arbitrary<[string, Value][]> {
  return fc.uniqueArray(fc.tuple(name, member), { maxLength: 4, selector: ([key]) => key })
}

/** With own members, whatever their names. */
function mapOf(entries: readonly (readonly [string, Value])[]): Value {
  return {
    given: Object.fromEntries(entries.map(([key, { given }]) => [key, given])),
    back: Object.fromEntries(entries.map(([key, { back }]) => [key, back])),
  }
}

/** Items of any depth. What has no value is left out: `undefined`, and a set without members. */
export const items: fc.Arbitrary<{ readonly given: object; readonly back: object }> = entriesOf(
  fc.oneof(
    { weight: 6, arbitrary: value },
    {
      weight: 1,
      arbitrary: fc.constantFrom(undefined, new Set()).map((given): Value => ({ given, back: undefined })),
    },
  ),
).map((entries) => ({
  given: mapOf(entries).given as object,
  back: mapOf(entries.filter(([, { back }]) => back !== undefined)).back as object,
}))
