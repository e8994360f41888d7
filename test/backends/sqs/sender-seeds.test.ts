import { type SqsSendError, model } from 'clearskies-middy'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { runs } from '../../support/runs.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { type ModelOptions, SqsQueueModel } from '../../support/sqs-queue-model.ts'
import { type Item, schema } from '../../support/sqs-sending.ts'

beforeAll(async () => {
  // Loaded with the first message otherwise, for as many turns as that takes.
  await import('@aws-sdk/client-sqs')
})
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

interface Created extends Item {
  readonly group: string
  /** Before which turn it was created, and settled. */
  readonly at: number
  settledAt?: number
  code?: string
}

interface Run extends Omit<ModelOptions, 'limit'> {
  readonly onGroupError: 'stop' | 'continue'
}

/** Creates messages of a few groups over a number of turns, while a queue answers in any order and with any fault. */
async function run(seed: number, { onGroupError, ...options }: Run) {
  const random = seededRandom(seed)
  const queue = new SqsQueueModel(seed, { ...options, limit: 1500 })
  const logger = new RecordingLogger()
  // Some retries follow at once, others after a millisecond.
  vi.spyOn(Math, 'random').mockImplementation(() => (random() < 0.5 ? 0 : 0.001))
  const backend = new SqsBackend(
    model({ name: options.fifo ? 'https://sqs/q.fifo' : 'https://sqs/q', schema }),
    {
      client: queue,
      logger,
      onGroupError,
      ordering: options.strict ? 'strict' : 'batch',
      maxInFlight: options.maxInFlight,
      groupId: ({ group = '' }) => group,
    },
  )
  const groups = 1 + Math.floor(random() * 8)
  const created: Created[] = []
  let settled = 0
  const create = (turn: number): void => {
    const one: Created = {
      id: String(created.length),
      group: `g${Math.floor(random() * groups)}`,
      text: random() < 0.02 ? 'bad' : 'x'.repeat(random() * 300),
      at: turn,
    }
    created.push(one)
    const { id, group, text } = one
    const done = (code: string): void => {
      one.code = code
      one.settledAt = now
      settled++
    }
    backend.create({ id, group, text }).then(
      () => done('sent'),
      (error: unknown) => done((error as SqsSendError).code),
    )
  }
  let now = 0
  for (; now < 20 || settled < created.length; now++) {
    if (now < 20) for (let count = Math.floor(random() * 12); count > 0; count--) create(now)
    if (now > 20_000) throw new Error(`Seed ${seed}: ${created.length - settled} creates never settle`)
    queue.answerOne()
    vi.advanceTimersByTime(1)
    await new Promise(setImmediate)
  }
  return { queue, created, logger }
}

const ids = ({ bodies }: SqsQueueModel) => bodies.map((body) => Number((JSON.parse(body) as Item).id))

/** Of each group, the numbers of its messages in the order of the queue. */
function byGroup(queue: SqsQueueModel, created: readonly Created[]): number[][] {
  return [...Map.groupBy(ids(queue), (id) => created[id]?.group).values()]
}

const isSorted = (list: readonly number[]) =>
  list.every((id, index) => index === 0 || id > (list[index - 1] as number))

/** What a stop should have rejected and did not: what was created behind a failed message before that failed. */
function notStopped(created: readonly Created[]): unknown[] {
  return created.flatMap((failed, index) =>
    failed.code === 'sent' || failed.code === 'GroupStopped'
      ? []
      : created
          .slice(index + 1)
          .filter(({ group, at }) => group === failed.group && at < (failed.settledAt ?? 0))
          .filter(({ code }) => code === 'sent')
          .map(({ id }) => ({ failed: failed.id, sent: id })),
  )
}

const seeds = Array.from({ length: runs(200) }, (_, index) => index + 1)

describe('any order of answers, and any faults', () => {
  it('sqs D5 strict: the order of each group holds, and a stop rejects all that waited behind it', async () => {
    let full = 0
    for (const seed of seeds) {
      const { queue, created } = await run(seed, {
        fifo: true,
        strict: true,
        untold: true,
        maxInFlight: 3,
        onGroupError: 'stop',
      })
      expect(queue.violations, `seed ${seed}`).toEqual([])
      expect(byGroup(queue, created).every(isSorted), `the order of seed ${seed}`).toBe(true)
      expect(notStopped(created), `sent behind a failed one, seed ${seed}`).toEqual([])
      const taken = new Set(ids(queue))
      expect(taken.size, `seed ${seed}: a message is there twice`).toBe(ids(queue).length)
      for (const { id, code } of created) {
        if (code === 'sent')
          expect(taken.has(Number(id)), `seed ${seed}: message ${id} is not there`).toBe(true)
        if (code === 'GroupStopped' || code === 'InvalidMessageContents')
          expect(taken.has(Number(id)), `seed ${seed}: message ${id} is there, and was rejected`).toBe(false)
      }
      if (queue.maxConcurrent === 3) full++
    }
    expect(full, 'how many runs had three requests at once').toBeGreaterThan(seeds.length / 2)
  })

  it('sqs D5 batch: no two requests of a group at once, and disorder is told', async () => {
    for (const seed of seeds) {
      const { queue, created, logger } = await run(seed, {
        fifo: true,
        strict: false,
        untold: false,
        maxInFlight: 6,
        onGroupError: seed % 2 === 0 ? 'stop' : 'continue',
      })
      expect(queue.violations, `seed ${seed}`).toEqual([])
      const disorder = !byGroup(queue, created).every(isSorted)
      expect(logger.warnings.length > 0, `seed ${seed}: told of disorder`).toBe(disorder)
      expect(new Set(ids(queue)).size, `seed ${seed}: a message is there twice`).toBe(ids(queue).length)
    }
  })

  it('sqs D4 standard: every message that was acknowledged is there, and twice only where nobody could know', async () => {
    for (const seed of seeds) {
      const untold = seed % 2 === 0
      const { queue, created } = await run(seed, {
        fifo: false,
        strict: false,
        untold,
        maxInFlight: 1 + (seed % 6),
        onGroupError: 'stop',
      })
      expect(queue.violations, `seed ${seed}`).toEqual([])
      const taken = new Set(ids(queue))
      const missing = created.filter(({ id, code }) => code === 'sent' && !taken.has(Number(id)))
      expect(missing, `seed ${seed}: acknowledged and lost`).toEqual([])
      if (!untold) expect(taken.size, `seed ${seed}: a message is there twice`).toBe(ids(queue).length)
      expect(created.filter(({ code }) => code === 'GroupStopped')).toEqual([])
    }
  })
})
