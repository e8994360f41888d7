// What the invocations of one process have borrowed from a pool: X7.
import { describe, expect, it } from 'vitest'
import { InvocationScope, Scope } from '../../src/invocation/scope.ts'
import { Loans } from '../../src/middleware/database/loans.ts'

const never = new Promise<never>(() => undefined)

class RecordScope extends Scope {
  override readonly event = {}
  protected override readonly hasWaiter = true
}

function scopeOf(left: number, parent?: Scope, recordId?: string): Scope {
  const context = { getRemainingTimeInMillis: () => left }
  return recordId === undefined
    ? new InvocationScope({ event: {}, context }, parent)
    : new RecordScope(context, parent, recordId)
}

describe('X7: the loans of a pool', () => {
  it('are taken back from the invocation that ends, and from no other', () => {
    const loans = new Loans()
    const [first, second] = [scopeOf(1000), scopeOf(1000)]
    const ended: string[] = []
    loans.lend(() => void ended.push('first'), first)
    loans.lend(() => void ended.push('second'), second)
    loans.lend(() => void ended.push('returned'), first)()
    loans.lend(() => void ended.push('nobody’s'), undefined)
    expect(loans.end(first)).toBeUndefined()
    expect(loans.end(first)).toBeUndefined()
    expect(ended).toEqual(['first'])
  })

  it('of a record are taken back with the record, or with its invocation, and not with the invocation around that', () => {
    const loans = new Loans()
    const outer = scopeOf(1000)
    const invocation = scopeOf(1000, outer)
    const [first, second] = [scopeOf(1000, invocation, '1'), scopeOf(1000, invocation, '2')]
    const ended: string[] = []
    loans.lend(() => void ended.push('1'), first)
    loans.lend(() => void ended.push('2'), second)
    void loans.end(outer)
    expect(ended).toEqual([])
    void loans.end(first)
    expect(ended).toEqual(['1'])
    void loans.end(invocation)
    expect(ended.at(-1)).toBe('2')
  })

  it('wait for a statement to be cancelled, unless the time that is left is for the answer', async () => {
    const loans = new Loans()
    const [long, short] = [scopeOf(30_000), scopeOf(1)]
    const cancelled = Promise.withResolvers<undefined>()
    loans.lend(() => cancelled.promise.then(() => undefined), long)
    loans.lend(() => never, short)
    expect(loans.end(short)).toBeUndefined()
    const ending = loans.end(long)
    expect(ending).toBeInstanceOf(Promise)
    cancelled.resolve(undefined)
    await ending
  })

  it('of one invocation let no other wait', () => {
    const loans = new Loans()
    const [first, second] = [scopeOf(30_000), scopeOf(30_000)]
    loans.cancelling(never, first)
    expect(loans.end(second)).toBeUndefined()
  })
})
