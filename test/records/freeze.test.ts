// Lambda freezes the process when the invocation's promise settles. A create that nobody has awaited is acknowledged by
// then, or the invocation fails, on every path that Middy offers. Against a real queue, whose client waits for a gate.
import { SqsSendError } from 'clearskies-middy/errors'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { useSqs } from '../support/engines.ts'
import {
  type Chain,
  type HookRequest,
  cores,
  fail,
  gatedQueue,
  letTurn,
  own,
  run,
  send,
  sends,
  sendsAndFails,
} from '../support/gated-queue.ts'

const engine = useSqs()
afterEach(() => {
  vi.restoreAllMocks()
})

const answer = (request: HookRequest): void => {
  request.response = 'answered'
}

interface Path extends Chain {
  readonly path: string
  /** What the invocation comes to: a value, or its own error. */
  readonly ends: unknown
  /** Whether the onError that answers is given the failure of the sending, so that the answer is its own choice. */
  readonly isTold?: boolean
}

const paths: readonly Path[] = [
  { path: 'the handler returns', ends: 'value' },
  {
    path: 'the handler sends after a wait',
    handler: async (request) => {
      await new Promise(setImmediate)
      return sends(request)
    },
    ends: 'value',
  },
  { path: 'a before behind sends', behind: { before: send }, handler: () => 'value', ends: 'value' },
  { path: 'an after behind sends', behind: { after: send }, handler: () => 'value', ends: 'value' },
  { path: 'a before behind returns early', behind: { before: sends }, ends: 'value' },
  {
    path: 'an asynchronous before behind returns early',
    behind: { before: (request: HookRequest) => Promise.resolve().then(() => sends(request)) },
    ends: 'value',
  },
  {
    path: 'a before returns early behind one that sends',
    behind: [{ before: send }, { before: () => 'early' }],
    ends: 'early',
  },
  { path: 'an after behind returns a value', behind: { after: () => 'late' }, ends: 'late' },
  {
    path: 'an after behind sends and returns a value',
    behind: { after: sends },
    handler: () => 1,
    ends: 'value',
  },
  { path: 'an after in front returns a value', front: { after: () => 'late' }, ends: 'late' },
  {
    path: 'an after in front sends and returns a value',
    front: { after: sends },
    handler: () => 1,
    ends: 'value',
  },
  { path: 'an after behind throws, nobody answers', behind: { after: fail }, ends: own },
  { path: 'a before behind throws', behind: { before: sendsAndFails }, ends: own },
  {
    path: 'the handler throws, an onError behind sets the response',
    behind: { onError: answer },
    handler: sendsAndFails,
    ends: 'answered',
  },
  {
    path: 'the handler throws, an onError in front sets the response',
    front: { onError: answer },
    handler: sendsAndFails,
    ends: 'answered',
    isTold: true,
  },
  {
    path: 'the handler throws, an onError behind returns a value',
    behind: { onError: () => 'returned' },
    handler: sendsAndFails,
    ends: 'returned',
  },
  {
    path: 'the handler throws, an onError in front returns a value',
    front: { onError: () => 'returned' },
    handler: sendsAndFails,
    ends: 'returned',
    isTold: true,
  },
  { path: 'the handler throws, nobody answers', handler: sendsAndFails, ends: own },
  {
    path: 'the handler throws, an onError in front throws',
    front: { onError: fail },
    handler: sendsAndFails,
    ends: own,
    isTold: true,
  },
]

describe.each(cores)('on %s', (_, core) => {
  it.each(paths)('$path: what nobody awaited is acknowledged before the end', async (path) => {
    const queue = gatedQueue(engine)
    const { done, outcome } = run(core, path, queue)
    await queue.reached.promise
    await letTurn()
    expect(outcome.isSettled).toBe(false)
    queue.gate.resolve(undefined)
    expect(await done).toEqual({
      isSettled: true,
      acknowledged: 1,
      value: path.ends instanceof Error ? undefined : path.ends,
      error: path.ends instanceof Error ? path.ends : undefined,
    })
  })

  it.each(paths)('$path: what cannot be sent fails the invocation', async (path) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const queue = gatedQueue(engine, false)
    queue.gate.resolve(undefined)
    const { done, seen } = run(core, path, queue)
    const { value, error } = await done
    if (path.isTold) {
      expect([value, error]).toEqual(
        path.ends instanceof Error ? [undefined, path.ends] : [path.ends, undefined],
      )
      expect(seen).toEqual([expect.any(SqsSendError)])
    } else {
      expect(value).toBeUndefined()
      expect(error).toBeInstanceOf(SqsSendError)
      expect((error as SqsSendError).code).toMatch(/QueueDoesNotExist|NonExistentQueue/)
    }
    vi.restoreAllMocks()
  })
})
