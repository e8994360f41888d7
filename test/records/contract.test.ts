// What eachRecord() does behind every source of records: one body, run over all of them.
import { setImmediate as turn } from 'node:timers/promises'
import middy from '@middy/core'
import {
  DeadlineError,
  type EachRecordOptions,
  FailedRecordError,
  InvalidEventError,
  backends,
  currentInvocation,
  eachRecord,
  model,
} from 'clearskies-middy'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { albEvent, invoke, lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import { type NumberedRecord, type TestedSource, recordSources } from '../support/record-sources.ts'
import { runs } from '../support/runs.ts'
import { seededRandom } from '../support/seeded-random.ts'

const quiet = { error() {}, warn() {} }
const engine = useSqs()

interface Worked {
  /** The numbers that the answer lists as not done. */
  readonly listed: readonly number[] | undefined
  /** What the invocation was rejected with. */
  readonly error: unknown
}

type AnyOptions = EachRecordOptions<never>
type Fn = (
  n: number,
  request: { readonly signal: AbortSignal; readonly id: string | undefined },
  context: never,
) => unknown

function handlerOf(source: TestedSource, fn: Fn, options: AnyOptions = {}, chain: readonly unknown[] = []) {
  const work = (request: never, context: never): unknown => fn(source.numberOf(request), request, context)
  return middy()
    .use([source.make(quiet), ...chain] as middy.MiddlewareObj[])
    .handler(eachRecord(work as never, { logger: quiet, ...options }) as never)
}

async function outcomeOf(source: TestedSource, answer: Promise<unknown>): Promise<Worked> {
  try {
    const value = await answer
    return { listed: source.listed?.(value as never), error: undefined }
  } catch (error) {
    return { listed: undefined, error }
  }
}

function work(source: TestedSource, records: readonly NumberedRecord[], fn: Fn, options: AnyOptions = {}) {
  return outcomeOf(source, invoke(handlerOf(source, fn, options), source.event(records)))
}

/** Records of keys: `a b a` are 1, 2 and 3. */
const ofKeys = (...keys: readonly string[]): NumberedRecord[] =>
  keys.map((key, index) => ({ n: index + 1, key }))

/** Checks that an answer, or the error in its place, tells of exactly these. */
function expectFailed(
  source: TestedSource,
  { listed, error }: Worked,
  failed: readonly NumberedRecord[],
): void {
  if (source.listed === undefined) {
    expect(error === undefined).toBe(failed.length === 0)
    if (failed.length > 1) expect((error as AggregateError).errors).toHaveLength(failed.length)
    return
  }
  const toList = (source.toList ?? ((records) => records))(failed)
  expect([error, listed?.toSorted((a, b) => a - b)]).toEqual([
    undefined,
    toList.map(({ n }) => n).toSorted((a, b) => a - b),
  ])
}

describe.each(Object.entries(recordSources))('eachRecord() behind %s', (name, source) => {
  const three = ofKeys('a', 'b', 'c')
  const factory = name.replace(', FIFO', '')
  const sourceName = factory.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

  it('E2: a batch without records is done without a call', async () => {
    let calls = 0
    const outcome = await work(source, [], () => calls++)
    expectFailed(source, outcome, [])
    expect(calls).toBe(0)
  })

  it('records of other keys are worked after one has failed, and the answer has the failed one', async () => {
    const called: number[] = []
    const failed: number[] = []
    const done: number[] = []
    const outcome = await work(
      source,
      three,
      (n) => {
        called.push(n)
        if (n === 1) throw new Error('no')
      },
      {
        onFailure: (_, request) => failed.push(source.numberOf(request)),
        onSuccess: (request) => done.push(source.numberOf(request)),
      },
    )
    expect([called, failed, done.toSorted()]).toEqual([[1, 2, 3], [1], [2, 3]])
    expectFailed(source, outcome, three.slice(0, 1))
  })

  if (source.hasOrder === true)
    it('records of one key are worked in order, and the rest of a failed key is not run', async () => {
      const called: number[] = []
      const skipped: number[] = []
      const records = ofKeys('a', 'b', 'a', 'b', 'a')
      const outcome = await work(
        source,
        records,
        async (n) => {
          called.push(n)
          await turn()
          if (n === 3) throw new Error('no')
        },
        { onSkip: (request) => skipped.push(source.numberOf(request)) },
      )
      expect([called, skipped]).toEqual([[1, 2, 3, 4], [5]])
      expectFailed(source, outcome, [records[2]!, records[4]!])
    })

  it.each([300, 404, 500])(
    'E3: a function that answers the status %i fails its record, where values are no data',
    async (statusCode) => {
      const errors: unknown[] = []
      const outcome = await work(source, three.slice(0, 1), () => ({ statusCode }), {
        onFailure: (error) => errors.push(error),
      })
      const isData = name === 'firehose'
      expect(errors).toEqual(isData ? [] : [new FailedRecordError(statusCode)])
      expectFailed(source, outcome, isData ? [] : three.slice(0, 1))
    },
  )

  it('E4: the answer is given before the time is up, with what is not done, begun or not', async () => {
    const errors: unknown[] = []
    const skipped: number[] = []
    const fn: Fn = (n, { signal }) =>
      n === 2 ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : undefined
    const options: AnyOptions = {
      concurrency: 1,
      onFailure: (error) => errors.push(error),
      onSkip: (request) => skipped.push(source.numberOf(request)),
    }
    const answer = invoke(
      handlerOf(source, fn, options),
      source.event(three),
      lambdaContext({ timeout: 300 }),
    )
    expectFailed(source, await outcomeOf(source, answer), three.slice(1))
    expect([errors, skipped]).toEqual([[expect.any(DeadlineError)], [3]])
  })

  it('a record has its own time limit', async () => {
    const outcome = await work(
      source,
      three,
      (n, { signal }) =>
        n === 3 ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : undefined,
      { timeout: 5 },
    )
    expectFailed(source, outcome, three.slice(2))
  })

  it('E5: invocations beside each other share nothing', async () => {
    const handler = handlerOf(source, async (n) => {
      await turn()
      if (n % 2 === 1) throw new Error(String(n))
    })
    const batches = Array.from({ length: runs(100) }, (_, batch) =>
      Array.from({ length: 3 }, (__, index) => ({ n: batch * 10 + index + 1, key: `${batch} ${index}` })),
    )
    const outcomes = await Promise.all(
      batches.map((batch) => outcomeOf(source, invoke(handler, source.event(batch)))),
    )
    for (const [index, outcome] of outcomes.entries())
      expectFailed(
        source,
        outcome,
        batches[index]!.filter(({ n }) => n % 2 === 1),
      )
  })

  it.each([1, 2, 5])('at most %i records run at once', async (concurrency) => {
    let running = 0
    let most = 0
    const records = ofKeys('a', 'b', 'c', 'd', 'e', 'f', 'g')
    await work(
      source,
      records,
      async () => {
        most = Math.max(most, ++running)
        await turn()
        running--
      },
      { concurrency },
    )
    expect(most).toBe(concurrency)
  })

  it('a record is done only when what it sent is acknowledged', async () => {
    const url = engine.createQueue(`contract-${name.replace(/\W/g, '-')}`)
    const client = {
      async send(command: { input: { Entries?: { Id: string; MessageBody: string }[] } }) {
        await turn()
        const { Entries = [] } = command.input
        const failed = Entries.filter(({ MessageBody }) => MessageBody === '{"n":2}')
        return {
          Successful: Entries.filter((entry) => !failed.includes(entry)).map(({ Id }) => ({
            Id,
            MessageId: Id,
          })),
          Failed: failed.map(({ Id }) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true })),
        }
      },
    }
    const queue = new SqsBackend(model({ name: url, schema: z.object({ n: z.number() }) }), { client })
    const fn: Fn = (n) => {
      void queue.create({ n })
    }
    const handler = handlerOf(source, fn, {}, [backends({ queue })])
    expectFailed(source, await outcomeOf(source, invoke(handler, source.event(three))), three.slice(1, 2))
  })

  it('a record has a context of its own, beside what the chain put there', async () => {
    const seen: unknown[] = []
    const put = {
      before: ({ context }: middy.Request) => {
        Object.assign(context, { shared: 'x' })
      },
    }
    const fn = async (n: number, _: unknown, context: { own?: number; shared?: string }) => {
      seen.push([context.own, context.shared])
      context.own = n
      await turn()
      if (context.own !== n) throw new Error('It has the context of another')
    }
    const outcome = await outcomeOf(
      source,
      invoke(handlerOf(source, fn as Fn, {}, [put]), source.event(three)),
    )
    expectFailed(source, outcome, [])
    expect(seen).toEqual(three.map(() => [undefined, 'x']))
  })

  it('currentInvocation() tells the record, and request.id is the same', async () => {
    const pairs: unknown[] = []
    await work(source, three, async (_, { id }) => {
      await turn()
      pairs.push([id, currentInvocation()?.record?.id])
    })
    expect(pairs).toHaveLength(3)
    for (const pair of pairs as [unknown, unknown][]) expect(pair).toEqual([expect.any(String), pair[0]])
  })

  it('the same event gives the same ids', async () => {
    const event = source.event(three)
    const idsOf = async () => {
      const ids: unknown[] = []
      await invoke(
        handlerOf(source, (_, { id }) => ids.push(id)),
        event,
      )
      return ids
    }
    expect(await idsOf()).toEqual(await idsOf())
    expect(new Set(await idsOf()).size).toBe(3)
  })

  it('a batch passes for plain data, and the event is not changed', async () => {
    const event = source.event(three)
    const before = structuredClone(event)
    let copy: unknown
    const handler = handlerOf(source, () => undefined, {}, [
      {
        before: (request: middy.Request) => {
          copy = JSON.parse(JSON.stringify(request.event))
        },
      },
    ])
    await invoke(handler, event)
    expect(copy).toMatchObject({
      kind: `${sourceName}-batch`,
      source: sourceName,
      Records: expect.any(Array) as unknown[],
    })
    expect(event).toEqual(before)
  })

  it('an event of another source is refused', async () => {
    const { error } = await outcomeOf(
      source,
      invoke(
        handlerOf(source, () => 1),
        albEvent(),
      ),
    )
    expect(error).toBeInstanceOf(InvalidEventError)
    expect(error).toMatchObject({
      message: expect.stringContaining(`${factory}()`) as string,
      seen: 'ALB',
      expected: expect.arrayContaining([expect.stringMatching(/\w/)]) as string[],
    })
  })

  it('a wrong option is refused by the name of the factory', () => {
    expect(() => source.make('loud' as never)).toThrow(`${factory}(): the option "logger" has a wrong value`)
  })

  it('the request of a record names its source', async () => {
    const sources = new Set<unknown>()
    await work(source, three, (_, request) => sources.add((request as { source?: unknown }).source))
    expect([...sources]).toEqual([sourceName])
  })

  it('of a handler that gives nothing for each record the log or the error tells, by the factory’s name', async () => {
    const told: unknown[] = []
    const handler = middy()
      .use(source.make({ error: (...words) => told.push(...words), warn() {} }) as middy.MiddlewareObj)
      .handler(() => undefined)
    await invoke(handler, source.event(three)).catch((error: unknown) => told.push(error))
    expect(told.join()).toContain(`${factory}() got no result per record`)
  })

  it('over many seeds: order in each key, nothing lost, and the answer has what is not done', async () => {
    for (let seed = 1; seed <= runs(300); seed++) {
      const random = seededRandom(seed)
      const records = Array.from({ length: 1 + Math.floor(random() * 25) }, (_, index) => ({
        n: index + 1,
        key: `k${Math.floor(random() * 6)}`,
      }))
      const failing = new Set(records.filter(() => random() < 0.15).map(({ n }) => n))
      const turns = new Map(records.map(({ n }) => [n, Math.floor(random() * 3)]))
      const concurrency = 1 + Math.floor(random() * 8)
      const begun: number[] = []
      const done = new Set<number>()
      const outcome = await work(
        source,
        records,
        async (n) => {
          begun.push(n)
          for (let left = turns.get(n) ?? 0; left > 0; left--) await turn()
          if (failing.has(n)) throw new Error(String(n))
          done.add(n)
        },
        { concurrency },
      )
      const notDone = records.filter(({ n }) => !done.has(n))
      const firstFailed = Math.min(...failing, Infinity)
      if (source.hasOrder === true)
        for (const key of new Set(records.map((record) => record.key))) {
          const own = records.filter((record) => record.key === key).map(({ n }) => n)
          const run = begun.filter((n) => own.includes(n))
          expect(run, `seed ${seed}`).toEqual(own.slice(0, run.length))
          if (source.repeatsRest !== true) expect(run.length, `seed ${seed}`).toBe(lengthUntil(own, failing))
        }
      else expect(begun.length, `seed ${seed}`).toBe(records.length)
      // What is in front of the first failure never comes again.
      for (const { n } of records)
        if (n < firstFailed) expect(done.has(n), `seed ${seed}, record ${n}`).toBe(true)
      expectFailed(source, outcome, notDone)
    }
  })
})

/** How many records are run of a key: those up to the first that fails. */
function lengthUntil(own: readonly number[], failing: ReadonlySet<number>): number {
  const first = own.findIndex((n) => failing.has(n))
  return first === -1 ? own.length : first + 1
}
