// The pure functions behind eachRecord(), where a whole chain reaches few of their inputs.
import { PermanentFailureError, RetryLaterError, UnidentifiedRecordError } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import {
  eachFailure,
  failedOf,
  logFailure,
  lowestFailure,
  throwIfAllFailed,
  whole,
} from '../../src/normalizers/records/answers.ts'
import { contextPerRecord } from '../../src/normalizers/records/record-context.ts'
import type { RecordIdentifier } from '../../src/normalizers/records/record-source.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const fulfilled: PromiseSettledResult<unknown> = { status: 'fulfilled', value: undefined }
const rejected = (reason: unknown = new Error('x')): PromiseSettledResult<unknown> => ({
  status: 'rejected',
  reason,
})
const batchOf = (...identifiers: (RecordIdentifier | undefined)[]) => ({
  identifiers,
  ids: identifiers.map((_, index) => `id-${index}`),
  Records: identifiers,
})
const quiet = new RecordingLogger()
const items = (...list: readonly unknown[]) => ({
  batchItemFailures: list.map((itemIdentifier) => ({ itemIdentifier })),
})

describe('where a stream has to go on', () => {
  const from = (...identifiers: RecordIdentifier[]): unknown =>
    lowestFailure.from(
      identifiers.map(() => rejected()),
      batchOf(...identifiers),
      quiet,
    )
  const long = '49590338271490256608559692538361571095921575989136588898'

  it.each<[string, RecordIdentifier[], RecordIdentifier]>([
    ['the lower of numbers with as many digits', ['12', '11', '13'], '11'],
    ['the lower of numbers with other counts of digits', ['10', '9', '100'], '9'],
    ['the lower of numbers beyond 2 ** 53', [long.replace(/8$/, '9'), long], long],
    ['the first of equal ones', ['7', '07'], '7'],
    ['the first where one is no number', ['7a', '5'], '7a'],
    ['the first where the other is no number', ['7', '5a'], '7'],
    ['the first where the other only ends as one', ['7', 'a5'], '7'],
  ])('is %s', (_, identifiers, lowest) => {
    expect(from(...identifiers)).toEqual(items(lowest))
  })

  it('is the lowest offset of each partition', () => {
    const at = (partition: string, offset: number) => ({ partition, offset })
    expect(from(at('a-0', 5), at('a-1', 9), at('a-0', 3), at('a-1', 10))).toEqual(
      items(at('a-0', 3), at('a-1', 9)),
    )
  })

  it('is unknown for a record without a number, and the error says what it lacks', () => {
    expect(() => lowestFailure.from([fulfilled, rejected()], batchOf('1', undefined), quiet)).toThrow(
      'Record 1 failed and has no sequence number or offset to report: the whole batch is retried',
    )
    expect(() => eachFailure.from([rejected()], batchOf(''), quiet)).toThrow(
      'Record 0 failed and has no messageId to report: the whole batch is retried',
    )
  })
})

type Verdict = 'counts' | 'does not count'

describe('an answer that a handler gives by itself', () => {
  const batch = batchOf('a', 'b')
  const partitions = batchOf({ partition: 't-0', offset: 1 })

  it.each<[string, Verdict, unknown]>([
    ['no failures', 'counts', items()],
    ['failures of the batch', 'counts', items('a', 'b')],
    ['another record', 'does not count', items('a', 'c')],
    ['an empty name', 'does not count', items('')],
    ['no name', 'does not count', { batchItemFailures: [{}] }],
    ['null in the list', 'does not count', { batchItemFailures: [null] }],
    ['no list', 'does not count', { batchItemFailures: 'a' }],
    ['nothing', 'does not count', undefined],
  ])('with %s %s', (_, verdict, answer) => {
    expect(eachFailure.isAnswer(answer, batch)).toBe(verdict === 'counts')
  })

  it.each<[string, Verdict, unknown]>([
    ['the offset of the batch', 'counts', { partition: 't-0', offset: 1 }],
    ['another offset', 'does not count', { partition: 't-0', offset: 2 }],
    ['an offset as text', 'does not count', { partition: 't-0', offset: '1' }],
    ['a partition that is a number', 'does not count', { partition: 0, offset: 1 }],
  ])('by %s %s', (_, verdict, identifier) => {
    expect(lowestFailure.isAnswer(items(identifier), partitions)).toBe(verdict === 'counts')
  })

  it('names no record that has no name itself', () => {
    const nameless = batchOf('a', undefined)
    expect([eachFailure.isAnswer(items('a'), nameless), eachFailure.isAnswer(items(''), nameless)]).toEqual([
      true,
      false,
    ])
  })

  it('joined with another lists what either lists, in the order of the batch', () => {
    const three = batchOf('a', 'b', 'c')
    expect(eachFailure.join(items('c'), items('a', 'c'), three)).toEqual(items('a', 'c'))
    const foreign = items('x')
    expect(eachFailure.join(items('c'), foreign, three)).toEqual(items('c'))
    expect(eachFailure.join(foreign, items('c'), three)).toBe(foreign)
  })
})

describe('a batch that is done or fails as a whole', () => {
  const [one, other] = [new Error('one'), new Error('other')]

  it('is done where nothing failed', () => {
    expect(whole.from([fulfilled, fulfilled], batchOf('a', 'b'), quiet)).toBeUndefined()
    expect([whole.done?.(), whole.isAnswer(items(), batchOf())]).toEqual([undefined, false])
  })

  it('fails with the one error itself, which nobody has to log besides', () => {
    const logger = new RecordingLogger()
    expect(() =>
      whole.from([rejected(one), fulfilled, rejected(one)], batchOf('a', 'b', 'c'), logger),
    ).toThrow(one)
    expect(logger.errors).toEqual([])
  })

  it('fails with all errors in one, and the log tells which record had which', () => {
    const logger = new RecordingLogger()
    expect(() => whole.from([rejected(one), rejected(other)], batchOf('a', 'b'), logger)).toThrow(
      expect.objectContaining({ message: '2 records failed', errors: [one, other] }),
    )
    expect(logger.errors).toEqual([
      { message: 'Record id-0 failed', details: one },
      { message: 'Record id-1 failed', details: other },
    ])
  })

  it('that failed in every record is an error, unless each only wants to come again later', () => {
    const later = new RetryLaterError({ delaySeconds: 5 })
    const wrapped = new Error('wrapped', { cause: later })
    expect(() => throwIfAllFailed([rejected(later), rejected(wrapped)])).not.toThrow()
    expect(() => throwIfAllFailed([rejected(one), fulfilled])).not.toThrow()
    expect(() => throwIfAllFailed([rejected(later), rejected(one)])).toThrow('2 records failed')
    expect(() => throwIfAllFailed([rejected(one), rejected(one)])).toThrow(one)
  })

  it('names the failed records by their positions', () => {
    expect(failedOf([rejected(), fulfilled, rejected()], ['a', 'b', 'c'])).toEqual([0, 2])
    const cause = new Error('x')
    expect(() => failedOf([rejected(cause)], [undefined], 'key')).toThrow(
      expect.objectContaining({ name: UnidentifiedRecordError.name, index: 0, cause }),
    )
  })
})

it('the log tells a failure from the wish to have a record later', () => {
  const told: unknown[][] = []
  const logger = {
    error: (...words: unknown[]) => told.push(['error', ...words]),
    warn: (...words: unknown[]) => told.push(['warn', ...words]),
    info: (...words: unknown[]) => told.push(['info', ...words]),
  }
  const failure = new PermanentFailureError('no such order')
  logFailure(logger, '7', failure)
  logFailure(logger, '8', new RetryLaterError({ delaySeconds: 5 }, 'in a moment'))
  expect(told).toEqual([
    ['error', 'Record 7 failed', failure],
    ['info', 'Record 8 is to come again later', 'in a moment'],
  ])
})

describe('the context of a record', () => {
  class Tenant {
    readonly #rows: string[] = []
    name = 'acme'
    get size(): number {
      return this.#rows.length
    }
    add(row: string): number {
      return this.#rows.push(row)
    }
  }
  type Loose = Tenant & Record<string, unknown>
  const ofTenant = () => {
    const shared = new Tenant()
    const make = contextPerRecord(shared) as () => Loose
    return { shared, make, one: make(), other: make() }
  }

  it.each([undefined, null, 'text', 7])('%j stays what it is', (context) => {
    expect(contextPerRecord(context)()).toBe(context)
  })

  it.each([
    ['an object', { a: 1, b: { c: 2 } }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }) as object],
  ])('%s is copied for each record', (_, context) => {
    const make = contextPerRecord(context) as () => Record<string, unknown>
    const [one, other] = [make(), make()]
    one['a'] = 'mine'
    expect([one['a'], other['a'], (context as Record<string, unknown>)['a']]).toEqual(['mine', 1, 1])
    expect(Object.keys(other)).toEqual(Object.keys(context))
    expect(Object.getPrototypeOf(other)).toBe(Object.prototype)
  })

  it('has the members that are not listed, too', () => {
    const context = Object.defineProperty({ a: 1 }, 'hidden', { value: 5 })
    const one = contextPerRecord(context)() as Record<string, unknown>
    expect([one['hidden'], 'hidden' in one, Object.keys(one)]).toEqual([5, true, ['a']])
    expect(Object.getOwnPropertyDescriptor(one, 'hidden')).toEqual({
      value: 5,
      enumerable: false,
      writable: true,
      configurable: true,
    })
  })

  it('of a class keeps its class, its state and its methods', () => {
    const { shared, one, other } = ofTenant()
    expect([one instanceof Tenant, one.add('row'), other.size, shared.size]).toEqual([true, 1, 1, 1])
    expect(one.add).toBe(one.add)
    const { add } = one
    expect(add('detached')).toBe(2)
  })

  it('of a class has what the record writes, and no other record does', () => {
    const { shared, one, other } = ofTenant()
    one.name = 'mine'
    one['extra'] = 1
    expect([one.name, one['extra'], 'extra' in one]).toEqual(['mine', 1, true])
    expect([other.name, other['extra'], 'extra' in other, 'extra' in shared]).toEqual([
      'acme',
      undefined,
      false,
      false,
    ])
    expect([Object.keys(one).toSorted(), Object.keys(other)]).toEqual([['extra', 'name'], ['name']])
    expect(Object.assign({}, one)).toEqual({ name: 'mine', extra: 1 })
  })

  it('of a class lacks what the record has deleted, until it writes it again', () => {
    const { shared, one, other } = ofTenant()
    delete (one as Partial<Tenant>).name
    expect([one.name, 'name' in one, Object.keys(one), Object.hasOwn(one, 'name')]).toEqual([
      undefined,
      false,
      [],
      false,
    ])
    expect([other.name, shared.name]).toEqual(['acme', 'acme'])
    expect(Reflect.ownKeys(one)).toEqual([])
    one.name = 'again'
    expect([one.name, 'name' in one, Object.keys(one)]).toEqual(['again', true, ['name']])
    one.name = 'once more'
    expect(one.name).toBe('once more')
    expect(Object.getOwnPropertyDescriptor(one, 'name')).toEqual({
      value: 'once more',
      enumerable: true,
      writable: true,
      configurable: true,
    })
    delete (one as Partial<Tenant>).name
    expect('name' in one).toBe(false)
  })

  it('of a class has no member that nobody gave it', () => {
    const { one } = ofTenant()
    expect(['none' in one, one['none'], Object.getOwnPropertyDescriptor(one, 'none')]).toEqual([
      false,
      undefined,
      undefined,
    ])
    expect(Object.getOwnPropertyDescriptor(one, 'name')).toEqual({
      value: 'acme',
      enumerable: true,
      writable: true,
      configurable: true,
    })
  })
})
