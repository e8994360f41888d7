import { bytesOf } from '../../core/bytes.ts'
import type { Readable } from 'node:stream'
import { InvalidResponseError } from '../../errors/index.ts'
import { type Scope, currentScope, inScope } from '../../invocation/scope.ts'
import { refuseQuery } from './response-body.ts'
import { nameOfKind } from './response-headers.ts'
import { type Reader, type ByteSource, readerOf } from './source-reader.ts'

/**
 * A body as a stream of bytes. The source is asked for a piece when the one before it is taken, and closed when the reader
 * leaves. It works within the scope of its invocation: what it sends is acknowledged before the stream ends.
 *
 * @param onError - Told of what the source throws. The stream is destroyed then: an end would look complete.
 */
export function bodyStream(source: ByteSource, onError: (error: unknown) => void): Readable {
  refuseQuery(source)
  const pieces = new BodyPieces(source)
  const { Readable } = process.getBuiltinModule('node:stream')
  return new Readable({
    highWaterMark: 1,
    read() {
      pieces.next().then(
        (bytes) => {
          this.push(bytes)
        },
        (error: unknown) => {
          onError(error)
          this.destroy(error instanceof Error ? error : new Error('The stream has failed', { cause: error }))
        },
      )
    },
    destroy(error, done) {
      // A source that is busy may take its time, or all time.
      pieces.close().catch(onError)
      done(error)
    },
  })
}

/** Closes what is not going to be read. */
export function discard(body: ByteSource, onError: (error: unknown) => void): void {
  new BodyPieces(body).close().catch(onError)
}

/** The pieces of a source, each as bytes. */
class BodyPieces {
  readonly #reader: Reader
  readonly #scope: Scope | undefined = currentScope()
  /** The first half of a character that the last text ended with. */
  #half = ''
  #isOver = false

  constructor(source: ByteSource) {
    this.#reader = readerOf(source)
    this.#scope?.hold()
  }

  /** `null` at the end. */
  async next(): Promise<Buffer | null> {
    for (;;) {
      const result = await this.#inScope(() => this.#reader.next())
      if (result.done === true) return this.#last()
      const bytes = this.#bytesOf(result.value)
      if (bytes.length > 0) return bytes
    }
  }

  /** @throws SqsSendError, SqsFlushTimeoutError for what the source has sent and nobody awaits */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    try {
      await this.#closed()
      await this.#scope?.settle()
    } finally {
      this.#scope?.release()
    }
  }

  /** A source that cannot be closed has nothing more to give, either. */
  async #closed(): Promise<void> {
    try {
      await this.#inScope(() => this.#reader.close())
    } catch {
      return
    }
  }

  async #last(): Promise<Buffer | null> {
    const half = this.#half
    this.#half = ''
    if (half !== '') return Buffer.from(half)
    await this.#scope?.settle()
    this.#isOver = true
    this.#scope?.release()
    return null
  }

  #bytesOf(piece: unknown): Buffer {
    const bytes = typeof piece === 'string' ? this.#bytesOfText(piece) : bytesOf(piece)
    if (bytes !== undefined) return bytes
    throw new InvalidResponseError(`A stream gives text or bytes, and this gave ${nameOfKind(piece)}`)
  }

  /** A text may end in the middle of a character. */
  #bytesOfText(piece: string): Buffer {
    const text = this.#half + piece
    this.#half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? ''
    return Buffer.from(this.#half === '' ? text : text.slice(0, -1))
  }

  #inScope<T>(work: () => T): T {
    // Whoever reads within the scope already, as Middy does, needs no frame for each piece.
    return this.#scope === undefined || this.#scope === currentScope() ? work() : inScope(this.#scope, work)
  }
}
