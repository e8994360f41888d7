import fc from 'fast-check'
import { sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
import { lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'

function read(attribute: unknown): unknown {
  const event = sqsEvent([{ body: 1 }])
  Object.assign(event.Records[0]!, { messageAttributes: { it: attribute } })
  return sqsBatch(event, lambdaContext()).requests[0]!.messageAttributes['it']
}

/** The same attribute, put by SNS into the body. */
function readPublished(attribute: unknown): unknown {
  const body = { Type: 'Notification', TopicArn: 'a', Message: '1', MessageAttributes: { it: attribute } }
  const options = { unwrap: true } as const
  return sqsBatch(sqsEvent([{ body }]), lambdaContext(), options).requests[0]!.messageAttributes['it']
}

const numberOf = (stringValue: string): unknown => {
  const value = read({ dataType: 'Number', stringValue })
  expect(readPublished({ Type: 'Number', Value: stringValue })).toBe(value)
  return value
}

describe('a Number among the message attributes', () => {
  it.each([
    '230.000000000000000001',
    '0.1000000000000000000000000001',
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890123456789012345678',
    '1e400',
    '1e-400',
    '0x10',
    '0b1',
    'Infinity',
    'NaN',
    ' 7',
    '7\n',
    '1_000',
    '.',
    '',
  ])('R12: stays the text %j, which is no number that a double holds exactly', (text) => {
    expect(numberOf(text)).toBe(text)
  })

  it.each([
    ['7', 7],
    ['+7', 7],
    ['007', 7],
    ['7.0', 7],
    ['230.10', 230.1],
    ['.5', 0.5],
    ['5.', 5],
    ['1E+2', 100],
    ['1e21', 1e21],
    ['9007199254740992', 2 ** 53],
    ['0.1', 0.1],
    ['-0.000', -0],
    ['5e-324', 5e-324],
  ])('R12: %s is the number %d', (text, number) => {
    expect(numberOf(text)).toBe(number)
  })

  it('R12: every double comes back from its own text, and none with the digits of two', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true, min: 1, max: 1e15 })
    fc.assert(
      fc.property(double, (number) => {
        const text = number.toFixed(20)
        const exact = `${BigInt(Math.trunc(number))}.${text.split('.')[1] ?? ''}1`
        return numberOf(String(number)) === number && numberOf(exact) === exact
      }),
      { seed: 12 },
    )
  })
})

describe('null among the message attributes', () => {
  it.each(['String', 'Number', 'Number.int', 'Binary'])(
    'R12: a %s whose values are null is as one without',
    (dataType) => {
      const nulls = { stringValue: null, binaryValue: null, stringListValues: null, binaryListValues: null }
      expect(read({ dataType, ...nulls })).toEqual(read({ dataType }))
      expect(read({ dataType, ...nulls })).toEqual(dataType === 'Binary' ? Buffer.alloc(0) : '')
      expect(readPublished({ Type: dataType, Value: null })).toEqual(readPublished({ Type: dataType }))
    },
  )

  it('R12: a type of null is as no type, and an attribute of null as no attribute', () => {
    expect(read({ dataType: null, stringValue: '7' })).toBe('7')
    expect(read(null)).toBeUndefined()
    expect(readPublished({ Type: null, Value: '7' })).toBe('7')
    expect(readPublished(null)).toBeUndefined()
  })

  it.each([null, undefined, 'text', 7])('R12: %s in place of all of them is none', (messageAttributes) => {
    const event = sqsEvent([{ body: 1 }])
    Object.assign(event.Records[0]!, { messageAttributes })
    expect(Object.keys(sqsBatch(event, lambdaContext()).requests[0]!.messageAttributes)).toEqual([])
  })
})

it("SNS's String.Array is its JSON text", () => {
  const text = '["a",12345678901234567890,null]'
  expect(readPublished({ Type: 'String.Array', Value: text })).toBe(text)
  expect(read({ dataType: 'String.Array', stringValue: text })).toBe(text)
})
