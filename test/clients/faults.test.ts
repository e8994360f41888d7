// Thousands of calls against a service that fails at random, beside the SDK's client against the same service.
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it, vi } from 'vitest'
import {
  type Respond,
  errorOf,
  json,
  reset,
  silence,
  testCredentials,
  text,
  useLightServer,
} from '../support/light-server.ts'
import { runs } from '../support/runs.ts'
import { seededRandom } from '../support/seeded-random.ts'

const server = useLightServer()

type Fault =
  'done' | 'throttled' | 'failed' | 'reset' | 'done, then reset' | 'frozen' | 'skewed' | 'refused' | 'proxy'

const answers: Readonly<Record<Fault, Respond>> = {
  done: json(200, { Attributes: {} }),
  throttled: json(400, { __type: 'x#ThrottlingException', message: 'slow down' }),
  failed: json(500, { __type: 'x#InternalServerError', message: 'oops' }),
  reset,
  'done, then reset': reset,
  frozen: silence,
  skewed: json(400, { __type: 'x#InvalidSignatureException', message: 'Signature expired: now earlier' }),
  refused: json(400, {
    __type: 'x#ConditionalCheckFailedException',
    message: 'The conditional request failed',
  }),
  proxy: text(503, '<html>busy</html>'),
}

/** What a service does with each attempt of each call: the same whoever calls. */
function plan(seed: number, calls: number): Fault[][] {
  const random = seededRandom(seed)
  const faults: Fault[] = ['throttled', 'failed', 'reset', 'done, then reset', 'skewed', 'refused', 'proxy']
  return Array.from({ length: calls }, () =>
    Array.from({ length: 6 }, () => {
      if (random() < 0.6) return 'done'
      return random() < 0.005 ? 'frozen' : (faults[Math.floor(random() * faults.length)] ?? 'done')
    }),
  )
}

/** Follows a plan, and counts how often each call was done. */
function follow(faults: readonly (readonly Fault[])[]): {
  readonly attempts: number[]
  readonly done: number[]
} {
  const attempts = faults.map(() => 0)
  const done = faults.map(() => 0)
  server.respond = (response, request, index) => {
    const { Item } = JSON.parse(request.body) as { Item: { id: { N: string } } }
    const call = Number(Item.id.N)
    const fault = faults[call]?.[attempts[call]!++] ?? 'done'
    if (fault.startsWith('done')) done[call]!++
    answers[fault](response, request, index)
    if (fault === 'frozen') lateOf.get(call)?.()
  }
  return { attempts, done }
}

/** The call that runs. */
const running = new AsyncLocalStorage<number>()

/** Longer than any test takes. */
const limits = { requestTimeout: 1_000_000_000, connectTimeout: 2_000_000_000 }

/** What tells a call that its answer is late. */
const lateOf = new Map<number, () => void>()

/** Time that passes a hundred times as fast for whoever waits. An answer is late when the service has frozen, not before. */
function fastTime(): void {
  const real = globalThis.setTimeout
  vi.stubGlobal('setTimeout', (run: () => void, milliseconds = 0, ...args: []) => {
    const id = running.getStore()
    if (id !== undefined && milliseconds === limits.requestTimeout) lateOf.set(id, run)
    return real(run, milliseconds / 100, ...args)
  })
}

/** Calls, so many at once: few enough that none waits long for a connection. */
async function ended(
  ids: readonly number[],
  atOnce: number,
  put: (id: number) => Promise<unknown>,
): Promise<string[]> {
  const ends: string[] = []
  const rest = ids.values()
  const work = async (): Promise<void> => {
    for (const id of rest) {
      const call = running.run(id, () => put(id))
      ends[id] = await call.then(
        () => 'done',
        (error: unknown) => endOf(error as Error & { code?: string }),
      )
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return ends
}

/** An error by what tells it. The SDK has a SyntaxError for the HTML of a proxy. */
function endOf({ name, code }: Error & { code?: string }): string {
  return name === 'SyntaxError' ? 'Unknown' : (code ?? name)
}

const item = (id: number) => ({ TableName: 't', Item: { id: { N: String(id) } } })

it.each(Array.from({ length: runs(10) }, (_, index) => index + 1))(
  'T19, T22, T36: a thousand calls that fail at random end as the plan of their attempts says, seed %i',
  { timeout: 120_000 },
  async (seed) => {
    fastTime()
    const faults = plan(seed, 1000)
    const { attempts, done } = follow(faults)
    // As the SDK's: without room in the quota the plan alone does not tell the end.
    const client = server.client(limits)
    const ids = [...faults.keys()]
    const ends = await ended(ids, 50, (id) => client.call('dynamodb', 'PutItem', item(id)))
    for (const [call, end] of ends.entries()) {
      const seen = (faults[call] ?? []).slice(0, attempts[call])
      const last = seen.at(-1)
      // It ends with its last attempt, and no attempt follows an answer that decides.
      expect(seen.slice(0, -1)).not.toContain('done')
      expect(seen.slice(0, -1)).not.toContain('refused')
      expect(end).toBe(
        {
          done: 'done',
          throttled: 'ThrottlingException',
          failed: 'InternalServerError',
          reset: 'ECONNRESET',
          'done, then reset': 'ECONNRESET',
          frozen: 'TimeoutError',
          skewed: 'InvalidSignatureException',
          refused: 'ConditionalCheckFailedException',
          proxy: 'Unknown',
        }[last ?? 'done'],
      )
      // Twice done is only what an answer was lost of.
      expect(done[call]).toBe(seen.filter((fault) => fault.startsWith('done')).length)
      expect(done[call]! - 1).toBeLessThanOrEqual(seen.filter((fault) => fault === 'done, then reset').length)
    }
  },
)

// Few calls for each client: a kept connection that is reset has a try that costs nothing here, so that the SDK's quota is
// used up first.
it.each(Array.from({ length: runs(10) }, (_, index) => index + 7))(
  'T19, T24: calls one after the other end as those of the SDK, after as many attempts, seed %d',
  { timeout: 120_000 },
  async (seed) => {
    fastTime()
    const faults = plan(seed, 200).map((list): Fault[] =>
      list.map((fault) => (fault === 'frozen' ? 'failed' : fault)),
    )
    const ours = follow(faults)
    const client = server.client(limits)
    const ids = [...faults.keys()]
    const ends = await ended(ids, 1, (id) => client.call('dynamodb', 'PutItem', item(id)))
    const theirs = follow(faults)
    const sdk = new DynamoDBClient({
      endpoint: server.url,
      region: 'eu-central-1',
      credentials: testCredentials,
    })
    const sdkEnds = await ended(ids, 1, (id) => sdk.send(new PutItemCommand(item(id))))
    sdk.destroy()
    expect(ours.attempts.length).toBe(theirs.attempts.length)
    // A kept connection that is reset has one more try than the SDK gives it, if it was the last.
    const differences = faults.flatMap((list, id) =>
      ends[id] === sdkEnds[id] && ours.attempts[id] === theirs.attempts[id]
        ? []
        : [[list, ends[id], sdkEnds[id]]],
    )
    for (const [list] of differences) expect((list as Fault[]).slice(0, 4).at(3)).toMatch(/reset/)
    expect(differences.length).toBeLessThan(faults.length / 20)
  },
)

it('T5: no error of such a service shows what was sent', async () => {
  server.respond = text(503, '<html>busy</html>')
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const error = await errorOf(server.client().call('dynamodb', 'PutItem', item(4711)))
  expect(JSON.stringify(error)).not.toContain('4711')
})
