import { InvalidResponseError } from '../../errors/index.ts'
import { nameOfKind } from './response-headers.ts'
import { type Reader, readerOf } from './source-reader.ts'

/**
 * One event of a stream for a browser's `EventSource`.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export interface ServerSentEvent {
  /** Text as it is, anything else as JSON. An event without data changes `id` and `retry` only. */
  readonly data?: unknown
  /** The name that the page listens to. @default 'message' */
  readonly event?: string
  /** What the browser sends back as `Last-Event-ID` when it connects again. */
  readonly id?: string | number
  /** Milliseconds until the browser connects again. */
  readonly retry?: number
}

/** Events as text. No generator: a generator that waits for its source cannot be closed meanwhile. */
export class EventText implements AsyncIterableIterator<string> {
  readonly #reader: Reader
  readonly #keepAlive: number | undefined
  #event: Promise<IteratorResult<unknown>> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param keepAlive - Seconds without an event after which a comment is sent */
  constructor(source: AsyncIterable<ServerSentEvent>, keepAlive: number | undefined) {
    this.#reader = readerOf(source)
    this.#keepAlive = keepAlive
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<string>> {
    this.#event ??= Promise.resolve(this.#reader.next())
    const result = await this.#withinKeepAlive(this.#event)
    if (result === undefined) return { done: false, value: ':\n\n' }
    this.#event = undefined
    return result.done === true
      ? { done: true, value: undefined }
      : { done: false, value: eventTextOf(result.value) }
  }

  async return(): Promise<IteratorResult<string>> {
    clearTimeout(this.#timer)
    await this.#reader.close()
    return { done: true, value: undefined }
  }

  /** What a promise gives, or `undefined` where that takes too long. */
  async #withinKeepAlive<T>(work: Promise<T>): Promise<T | undefined> {
    const seconds = this.#keepAlive
    if (seconds === undefined) return work
    const silence = new Promise<undefined>((resolve) => {
      this.#timer = setTimeout(() => {
        resolve(undefined)
      }, seconds * 1000)
    })
    try {
      return await Promise.race([work, silence])
    } finally {
      clearTimeout(this.#timer)
    }
  }
}

/** @throws InvalidResponseError for what the reader would take for another field or another event */
function eventTextOf(event: unknown): string {
  if (typeof event !== 'object' || event === null)
    throw new InvalidResponseError(`An event is an object with data, and this is ${nameOfKind(event)}`)
  const { data, event: name, id, retry }: ServerSentEvent = event
  let text = ''
  if (name !== undefined) text += `event: ${fieldLine('event', name)}\n`
  if (id !== undefined) text += `id: ${fieldLine('id', id)}\n`
  if (retry !== undefined) text += `retry: ${retryText(retry)}\n`
  if (data !== undefined) text += `data: ${dataText(data).replace(/\r\n|\r|\n/g, '\ndata: ')}\n`
  return `${text}\n`
}

function dataText(data: unknown): string {
  const text: unknown = typeof data === 'string' ? data : JSON.stringify(data)
  if (typeof text === 'string') return text
  throw new InvalidResponseError(`An event's data cannot be ${nameOfKind(data)}`)
}

function fieldLine(field: string, value: unknown): string {
  if ((typeof value === 'string' && !/[\r\n\0]/.test(value)) || typeof value === 'number')
    return String(value)
  throw new InvalidResponseError(`An event's ${field} is one line of text`)
}

function retryText(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value)
  throw new InvalidResponseError("An event's retry is a whole number of milliseconds")
}
