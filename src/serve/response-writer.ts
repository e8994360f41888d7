import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { asRecord } from '../core/record.ts'
import { ConfigurationError } from '../errors/index.ts'
import type { NodeHttpResult } from '../normalizers/node-http.ts'

/** Writes the answer to one request. */
export class ResponseWriter {
  readonly #message: IncomingMessage
  readonly #response: ServerResponse
  readonly #closing: AbortSignal
  #leaving: AbortController | undefined
  #hasAsked = false

  /** @param closing - Aborted when the server closes */
  constructor(message: IncomingMessage, response: ServerResponse, closing: AbortSignal) {
    this.#message = message
    this.#response = response
    this.#closing = closing
  }

  /** Aborted when the client leaves before the answer has ended. */
  get signal(): AbortSignal {
    if (this.#leaving !== undefined) return this.#leaving.signal
    const controller = new AbortController()
    const leave = (): void => {
      if (!this.#response.writableFinished) controller.abort(new ClientGoneError())
    }
    if (this.#response.destroyed) leave()
    else this.#response.once('close', leave)
    this.#leaving = controller
    return controller.signal
  }

  /** Whether the client holds its body back until somebody asks for it (`Expect: 100-continue`). */
  get isBodyHeldBack(): boolean {
    const { httpVersion, headers } = this.#message
    return !this.#hasAsked && httpVersion === '1.1' && /\b100-continue\b/i.test(headers.expect ?? '')
  }

  /** Lets such a client send it. */
  askForBody(): void {
    if (!this.isBodyHeldBack) return
    this.#hasAsked = true
    if (!this.#response.headersSent) this.#response.writeContinue()
  }

  get #hasLeft(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished
  }

  /** @throws ConfigurationError for what is no response */
  write(result: unknown): void {
    if (!isResult(result))
      throw new ConfigurationError(
        'The handler behind serve() gave no HTTP response: put nodeHttp() or anyHttp() in front of it',
      )
    const { body } = result
    if (typeof body === 'string' || body instanceof Uint8Array) this.#writeWhole(result, body)
    else this.#stream(result, body)
  }

  /** Answers by itself. After the first byte there is nothing left to say but that the rest is missing. */
  fail(status = 500, title = 'Internal Server Error'): void {
    if (this.#response.headersSent) {
      this.#response.destroy()
      return
    }
    const body = JSON.stringify({ type: 'about:blank', title, status })
    this.write({ statusCode: status, headers: { 'content-type': 'application/problem+json' }, body })
  }

  #writeWhole({ statusCode, headers }: NodeHttpResult, body: string | Uint8Array): void {
    const isSent = statusCode >= 200 && statusCode !== 204 && statusCode !== 304 && !this.#isHead
    const all: OutgoingHttpHeaders = { ...headers }
    // In front of text Node writes the headers in UTF-8, in front of bytes in Latin-1, which is what clients read.
    const isOdd = typeof body === 'string' && !isAscii(headers)
    if (isSent) all['content-length'] = Buffer.byteLength(body)
    if (this.#isLast) all['connection'] = 'close'
    this.#response.writeHead(statusCode, all)
    if (isSent) this.#response.end(isOdd ? Buffer.from(body) : body)
    else this.#response.end()
  }

  #stream({ statusCode, headers }: NodeHttpResult, body: Readable): void {
    const response = this.#response
    response.once('close', () => body.destroy())
    body.once('error', () => response.destroy())
    if (this.#hasLeft) {
      body.destroy()
      return
    }
    response.writeHead(statusCode, this.#isLast ? { ...headers, connection: 'close' } : { ...headers })
    response.flushHeaders()
    this.#leaveWhenClosing()
    body.pipe(response)
    if (!String(headers['content-type']).startsWith('text/event-stream')) return
    // It has no end of its own. A browser connects again, to another server.
    const end = (): void => {
      body.unpipe(response)
      body.destroy()
      response.end()
    }
    if (this.#closing.aborted) end()
    else this.#closing.addEventListener('abort', end, { once: true })
    response.once('close', () => {
      this.#closing.removeEventListener('abort', end)
    })
  }

  /** A stream that began before the server closes has said that its connection stays open. */
  #leaveWhenClosing(): void {
    const { socket } = this.#message
    this.#response.once('close', () => {
      if (this.#closing.aborted) socket.destroySoon()
    })
  }

  get #isHead(): boolean {
    return this.#message.method === 'HEAD'
  }

  /** A body that nobody has read to its end would stand in front of the next request. */
  get #isLast(): boolean {
    return this.#closing.aborted || !this.#message.complete
  }
}

/** The client has left: nobody is there to answer, and nothing has failed. */
export class ClientGoneError extends Error {
  override name = 'AbortError'

  constructor() {
    super('The client has left')
  }
}

/** Whether headers are the same in all encodings. */
function isAscii(headers: NodeHttpResult['headers']): boolean {
  for (const name in headers) if (/[^\0-\x7f]/.test(String(headers[name]))) return false
  return true
}

function isResult(value: unknown): value is NodeHttpResult {
  const { statusCode, headers, body } = asRecord(value) ?? {}
  return Number.isInteger(statusCode) && asRecord(headers) !== undefined && body !== undefined
}
