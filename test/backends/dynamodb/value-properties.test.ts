// Any item comes back from DynamoDB's form, and from an engine, as it was given.
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { InvalidDataError } from 'clearskies-middy/errors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { marshallItem } from '../../../src/wire/marshall.ts'
import { unmarshallItem } from '../../../src/wire/unmarshall.ts'
import { useDynamoDb } from '../../support/engines.ts'
import { items } from '../../support/random-values.ts'
import { runs } from '../../support/runs.ts'
import { comeBack, expectSame } from './query-property.ts'

const seed = 20_260_729
const dynamoDb = useDynamoDb()

/** Whether an item, or what is in it, is of a kind that the SDK's own marshaller treats in another way, or refuses. */
function isUnlike(value: unknown): boolean {
  if (value instanceof Date || value === undefined || (value instanceof Set && value.size === 0)) return true
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER
  if (value instanceof Set) return [...(value as Set<unknown>)].some(isUnlike)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  return has('__proto__', value) || has('constructor', value) || Object.values(value).some(isUnlike)
}

/** Whether there is a member of this name, at any depth. dynalite loses one named `__proto__`. */
function has(name: string, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, name) || Object.values(value).some((member) => has(name, member))
}

describe('any item', () => {
  it("comes back from DynamoDB's form", () => {
    fc.assert(
      fc.property(items, ({ given, back }) => {
        expectSame(unmarshallItem(marshallItem(given)), back)
      }),
      { seed, numRuns: 1000 },
    )
  })

  it('comes back from an engine, with all it holds inside', async () => {
    await comeBack(dynamoDb.client, { seed, numRuns: runs(150), isUnlike: (item) => has('__proto__', item) })
  })

  it("has the form that the SDK's own marshaller gives it, and is read alike", () => {
    let compared = 0
    fc.assert(
      fc.property(items, ({ given }) => {
        if (isUnlike(given)) return
        compared++
        const wire = marshallItem(given)
        expectSame(wire, marshall(given))
        expectSame(unmarshallItem(wire), unmarshall(wire))
      }),
      { seed, numRuns: 2000 },
    )
    expect(compared).toBeGreaterThan(300)
  })

  it('leaves no trace on what all objects have in common', () => {
    fc.assert(
      fc.property(items, ({ given }) => {
        const item = unmarshallItem(marshallItem(given))
        expect(Object.getPrototypeOf(item)).toBe(Object.prototype)
        expect(Object.keys(Object.prototype)).toEqual([])
      }),
      { seed, numRuns: 300 },
    )
  })
})

describe('any whole number of 38 digits', () => {
  const limit = 10n ** 38n - 1n
  const wholes = fc.bigInt({ min: -limit, max: limit })

  it('comes back as a bigint, from a column that is one or where all are', () => {
    fc.assert(
      fc.property(wholes, (big) => {
        const wire = marshallItem({ big, list: [big], set: new Set([big]) })
        const shapes = new Map([['big', { kind: 'bigint' }]])
        expect(unmarshallItem({ big: wire['big']! }, { numbers: 'safe', shapes })).toEqual({ big })
        expect(unmarshallItem(wire, { numbers: 'bigint' })).toEqual({ big, list: [big], set: new Set([big]) })
        expect(unmarshallItem(wire, { numbers: 'string' })).toMatchObject({ big: String(big) })
      }),
      { seed, numRuns: 500 },
    )
  })

  it('is a number or an error where numbers are read, and never another number', () => {
    fc.assert(
      fc.property(wholes, (big) => {
        const wire = marshallItem({ big })
        try {
          const number = unmarshallItem(wire)['big'] as number
          expect(BigInt(number.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 0 }))).toBe(
            big,
          )
        } catch (error) {
          if (!(error instanceof InvalidDataError)) throw error
          expect(Number.isSafeInteger(Number(big))).toBe(false)
        }
      }),
      { seed, numRuns: 500 },
    )
  })
})

describe('what DynamoDB cannot hold', () => {
  it.each([
    ['NaN', { value: NaN }],
    ['an infinite number', { value: [-Infinity] }],
    ['a whole number that is not exact', { value: 2 ** 53 }],
    ['a number that is too large', { value: 1e126 }],
    ['a number that is too small', { value: 1e-131 }],
    ['a bigint of 39 digits', { value: 10n ** 38n + 1n }],
    ['a bigint that is too large', { value: 10n ** 126n }],
    ['undefined in a list', { value: [undefined] }],
    ['an empty set in a list', { value: [new Set()] }],
    ['a set of several types', { value: new Set(['a', 1]) }],
    ['a set of lists', { value: new Set([[1]]) }],
    ['a function', { value: () => 1 }],
    ['a symbol', { value: Symbol('a') }],
    ['an instance of a class', { value: new URL('http://a') }],
    ['a Map', { value: new Map() }],
    ['an invalid date', { value: new Date(NaN) }],
    ['33 levels', Array.from({ length: 33 }).reduce<object>((inner) => ({ value: inner }), {})],
  ])('%s is refused by its path, and not by its value', (_, item) => {
    expect(() => marshallItem(item)).toThrow(InvalidDataError)
    expect(() => marshallItem(item)).toThrow(/^value/)
  })

  it('is not a member that a set has twice: it is there once', () => {
    const bytes = (): Uint8Array => Uint8Array.of(1, 2)
    expect(
      marshallItem({ a: new Set([1, 1n, 2]), b: new Set([bytes(), bytes()]), c: new Set([0, -0]) }),
    ).toEqual({
      a: { NS: ['1', '2'] },
      b: { BS: [bytes()] },
      c: { NS: ['0'] },
    })
    expect(marshallItem({ a: new Set([1e21, 10n ** 21n]) })['a']?.NS).toHaveLength(1)
  })
})
