import type { MalformedJsonError } from 'clearskies-middy'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/core/json.ts'

function positionOf(text: string): number | undefined {
  try {
    parseJson(text, 'It')
    return undefined
  } catch (error) {
    return (error as MalformedJsonError).position
  }
}

describe('parseJson', () => {
  it.each([
    ['', 0],
    ['  ', 2],
    ['{', 1],
    ['{"a"', 4],
    ['{"a":', 5],
    ['{"a": oops}', 6],
    ['{"a":1,}', 7],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{a:1}', 1],
    ['"abc', 0],
    ['"a\nb"', 0],
    ['"\\x"', 0],
    ['01', 0],
    ['1.', 0],
    ['-', 0],
    ['nul', 0],
    ['1 1', 2],
    [']', 0],
    ['[}', 1],
    ['{"a":1]', 6],
    ['[1,2', 4],
    ['\ufeff{x}', 2],
  ])('says where %j breaks', (text, position) => {
    expect(positionOf(text)).toBe(position)
  })

  it('skips a byte order mark, and keeps __proto__ an own property', () => {
    expect(parseJson('\ufeff{"__proto__":{"admin":true}}', 'It')).toSatisfy(
      (value: object) => Object.hasOwn(value, '__proto__') && !('admin' in value),
    )
  })

  it('never quotes the text', () => {
    expect(() => parseJson('hunter2', 'The body')).toThrow(
      /^The body is not valid JSON: it breaks at position 0$/,
    )
  })

  it('finds a position inside every text that JSON.parse refuses, however it was broken', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', '{', '}', ',', ':', '\\', 'x', '\u0000', '1'),
        (json, at, insert) => {
          const cut = at % (json.length + 1)
          const broken = json.slice(0, cut) + insert + json.slice(cut + 1)
          let valid = true
          try {
            JSON.parse(broken)
          } catch {
            valid = false
          }
          const position = positionOf(broken)
          expect(position === undefined).toBe(valid)
          if (position === undefined) return
          expect(position).toBeLessThanOrEqual(broken.length)
          // What stands in front of the break could still have become JSON: cutting there moves the break nowhere else.
          expect([undefined, position]).toContain(positionOf(broken.slice(0, position)))
        },
      ),
      { seed: 7, numRuns: 5000 },
    )
  })
})
