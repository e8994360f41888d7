import type { IncomingMessage } from 'node:http'
import { randomUUID } from 'node:crypto'
import { ignore } from '../core/ignore.ts'
import type { NodeHttpEvent } from '../normalizers/node-http.ts'
import { ClientGoneError, type ResponseWriter } from './response-writer.ts'

/** A client's request, as a normalizer takes it. */
export class ClientMessage implements NodeHttpEvent {
  readonly source = 'node-http'
  readonly isWebFunction: boolean
  readonly #message: IncomingMessage
  readonly #writer: ResponseWriter
  body: Uint8Array | undefined
  maxBodyBytes: number | undefined
  #stream: BodyOfMessage | undefined
  #requestId: string | undefined

  constructor(message: IncomingMessage, writer: ResponseWriter, isWebFunction: boolean) {
    this.#message = message
    this.isWebFunction = isWebFunction
    this.#writer = writer
  }

  /** Not its own, or a logger in front of the normalizer would print the socket. */
  get message(): IncomingMessage {
    return this.#message
  }

  /** Lambda's own: it takes such headers away from what a client sends. */
  get requestId(): string {
    const id = this.isWebFunction ? this.#message.headers['lambda-web-request-id'] : undefined
    return (this.#requestId ??= typeof id === 'string' ? id : randomUUID())
  }

  get signal(): AbortSignal {
    return this.#writer.signal
  }

  stream(): ReadableStream<Uint8Array> {
    return (this.#stream ??= new BodyOfMessage(this.#message, this.#writer)).web
  }

  /**
   * Reads the body, unless it is longer than that. What has come of a longer one by then is put back. `undefined` where
   * there is none.
   */
  read(maxBodyBytes: number): Promise<void> | undefined {
    const { headers } = this.#message
    const length = headers['content-length']
    if (length === undefined && headers['transfer-encoding'] === undefined) return undefined
    return this.#read(Number(length ?? 0), maxBodyBytes)
  }

  async #read(length: number, maxBodyBytes: number): Promise<void> {
    const isTooLong = length > maxBodyBytes
    if (!isTooLong) this.#writer.askForBody()
    const bytes = isTooLong ? undefined : await readUpTo(this.#message, maxBodyBytes)
    if (bytes === undefined) this.maxBodyBytes = maxBodyBytes
    else if (bytes.length > 0) this.body = bytes
  }

  /** Reads on where nobody does, a while: a client that still sends may not see an answer before it is done. */
  drain(): Promise<unknown> | undefined {
    if (this.maxBodyBytes === undefined || this.#stream?.isWanted === true) return undefined
    if (this.#writer.isBodyHeldBack) return undefined
    return readUpTo(this.#message, this.maxBodyBytes)
  }
}

/** A body as it arrives. A reader that stops leaves the connection open: the answer is still to come. */
class BodyOfMessage {
  readonly web: ReadableStream<Uint8Array>
  /** Whether somebody may read it still. */
  isWanted = true

  constructor(message: IncomingMessage, writer: ResponseWriter) {
    const pieces: AsyncIterator<Uint8Array, undefined> = message.iterator({ destroyOnReturn: false })
    this.web = new ReadableStream(
      {
        pull: async (controller) => {
          writer.askForBody()
          const { value } = await pieces.next()
          if (value !== undefined) {
            controller.enqueue(value)
            return
          }
          this.isWanted = false
          controller.close()
        },
        cancel: () => {
          this.isWanted = false
          pieces.return?.().catch(ignore)
        },
      },
      { highWaterMark: 0 },
    )
  }
}

/** All that is left of a body; `undefined` where that is more than the limit. Rejects when the client leaves. */
function readUpTo(message: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (message.readableEnded) return Promise.resolve(undefined)
  if (message.destroyed) return Promise.reject(new ClientGoneError())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const stop = (): void => {
      message.pause().off('data', take).off('end', end).off('close', leave).off('error', leave)
    }
    const take = (chunk: Buffer): void => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= limit) return
      stop()
      message.unshift(Buffer.concat(chunks))
      resolve(undefined)
    }
    const end = (): void => {
      stop()
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
    }
    const leave = (): void => {
      stop()
      reject(new ClientGoneError())
    }
    message.on('data', take).on('end', end).on('close', leave).on('error', leave).resume()
  })
}
