// Values that a key cannot have are refused before anything is sent, and patterns become the operations that there are.
import { ConditionError, TypeMismatchError } from 'clearskies-middy/errors'
import { describe, expect, it } from 'vitest'
import { Expression } from '../../../src/backends/dynamodb/expression.ts'
import type { Comparison } from '../../../src/backends/planning/query-state.ts'
import { narrowness, rangeOf } from '../../../src/backends/planning/range.ts'
import { refuseTypes } from '../../../src/backends/planning/simplify.ts'

const types: Readonly<Record<string, string>> = { text: 'S', number: 'N', flag: 'BOOL', bytes: 'B' }
const table = { typeOf: (column: string) => types[column] } as never
const refuse =
  (...conditions: readonly object[]) =>
  () => {
    refuseTypes(conditions as never, table)
  }

describe('a value for a key', () => {
  it.each<[object, string]>([
    [
      { column: 'number', operator: 'begins-with', value: '1' },
      'takes no beginning, being a number, and was given one',
    ],
    [{ column: 'text', operator: '=', value: 7 }, 'takes a string, and was given a number'],
    [{ column: 'text', operator: '=', value: [7] }, 'takes a string, and was given a list'],
    [{ column: 'text', operator: '=', value: { a: 1 } }, 'takes a string, and was given an object'],
    [{ column: 'text', operator: '=', value: () => 1 }, 'takes a string, and was given a function'],
    [{ column: 'number', operator: 'in', value: [1, 'x'] }, 'takes a number, and was given a string'],
    [{ column: 'number', operator: 'between', value: [1, true] }, 'takes a number, and was given a boolean'],
    [{ column: 'flag', operator: '=', value: new Uint8Array(1) }, 'takes a boolean, and was given bytes'],
    [{ or: [[{ column: 'bytes', operator: '=', value: 'x' }]] }, 'takes bytes, and was given a string'],
  ])('%o is refused by its column and its kind', (condition, message) => {
    expect(refuse(condition)).toThrow(TypeMismatchError)
    expect(refuse(condition)).toThrow(message)
  })

  it.each([Infinity, -Infinity])('%d has no end, and no column takes it', (value) => {
    for (const column of ['number', 'other'])
      expect(refuse({ column, operator: '<', value })).toThrow(
        new ConditionError(`The condition on "${column}" has a value without an end`, { statusCode: 400 }),
      )
  })

  it.each<object>([
    { column: 'text', operator: 'begins-with', value: 'x' },
    { column: 'text', operator: 'contains', value: 7 },
    { column: 'number', operator: '=', value: 7n },
    { column: 'number', operator: 'is-null', value: undefined },
    { column: 'text', operator: '=', value: null },
    { column: 'other', operator: '=', value: [7] },
  ])('%o is taken', (condition) => {
    expect(refuse(condition)).not.toThrow()
  })
})

it.each([
  ['a', '#0 = :0'],
  ['a%', 'begins_with(#0, :0)'],
  ['%a%', 'contains(#0, :0)'],
])('the pattern %j is %s, also of a place inside a column', (value, text) => {
  const whole = new Expression()
  expect(whole.conditions([{ column: 'c', operator: 'like', value }])).toBe(text)
  expect(whole.attributes()).toMatchObject({ ExpressionAttributeNames: { '#0': 'c' } })
  const place = new Expression()
  expect(place.conditions([{ column: 'c', path: ['c', 'd'], operator: 'like', value }])).toBe(
    text.replace('#0', '#0.#1'),
  )
})

describe('one range of several conditions', () => {
  const on = (operator: Comparison['operator'], value: unknown) =>
    ({ column: 'n', operator, value }) as Comparison

  it.each<[string, Comparison[], Comparison | undefined, Comparison[]]>([
    ['two bounds', [on('>', 1), on('<=', 9)], on('between', [1, 9]), [on('>', 1)]],
    ['a list', [on('in', [5, 1, 9])], on('between', [1, 9]), [on('in', [5, 1, 9])]],
    ['a list and a bound', [on('in', [5, 1, 9]), on('>=', 3)], on('between', [3, 9]), [on('in', [5, 1, 9])]],
    ['one bound twice', [on('>', 1), on('>=', 1)], on('>', 1), [on('>=', 1)]],
    ['the same bound twice', [on('>', 1), on('>', 1)], on('>', 1), []],
    ['bounds of other kinds', [on('>', 1), on('<', 'x')], on('>', 1), [on('<', 'x')]],
    ['one that no key takes', [on('!=', 1)], undefined, [on('!=', 1)]],
    ['an equation and a bound', [on('>', 1), on('=', 5)], on('=', 5), [on('>', 1)]],
  ])('%s', (_, conditions, key, check) => {
    expect(rangeOf(conditions)).toEqual({ key, check, isEmpty: false })
  })

  it.each<[string, Comparison[]]>([
    ['crossed bounds', [on('>', 9), on('<', 1)]],
    ['bounds at one value, one of them without it', [on('>=', 1), on('<', 1)]],
    ['no list', [on('in', [5]), on('>', 5)]],
  ])('%s hold nothing', (_, conditions) => {
    expect(rangeOf(conditions)).toEqual({ key: undefined, check: [], isEmpty: true })
  })

  it('is the narrower the more it says', () => {
    expect([undefined, on('>', 1), on('between', [1, 2]), on('begins-with', 'x'), on('=', 1)].map(narrowness)).toEqual([0, 1, 2, 2, 3]) // prettier-ignore
  })
})
