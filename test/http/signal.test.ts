import { once } from 'node:events'
import middy from '@middy/core'
import { DeadlineError, httpApi } from 'clearskies-middy'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { httpApiEvent, lambdaContext } from 'clearskies-middy/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { type SourceResponse, invoke } from '../support/sources.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('the signal of a request', () => {
  it.each([
    [10_000, 9500],
    [1000, 750],
    [300, 150],
  ])('of %d ms is aborted after %d ms, and not before', (timeout, at) => {
    vi.useFakeTimers()
    const { signal } = httpApiRequest(httpApiEvent(), lambdaContext({ timeout }))
    vi.advanceTimersByTime(at - 1)
    expect(signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect([signal.aborted, signal.reason]).toEqual([true, expect.any(DeadlineError)])
  })

  it('is the same at every look, and needs no timer before the first', () => {
    vi.useFakeTimers()
    const request = httpApiRequest(httpApiEvent(), lambdaContext({ timeout: 1000 }))
    expect(vi.getTimerCount()).toBe(0)
    expect(request.signal).toBe(request.signal)
    expect(vi.getTimerCount()).toBe(1)
  })

  it('is never aborted where nobody tells the time that is left', () => {
    vi.useFakeTimers()
    const { signal } = httpApiRequest(httpApiEvent(), {} as never)
    expect([signal.aborted, vi.getTimerCount()]).toEqual([false, 0])
  })

  it('ends what a handler waits for, and the answer is a 504', async () => {
    const handler = middy()
      .use(httpApi({ logger: new RecordingLogger() }))
      .handler(async ({ signal }) => {
        await once(signal, 'abort')
        throw signal.reason
      })
    const context = lambdaContext({ timeout: 100 })
    expect((await invoke<SourceResponse>(handler, httpApiEvent(), context)).statusCode).toBe(504)
  })
})
