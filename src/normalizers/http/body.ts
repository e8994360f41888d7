import { parseJson } from '../../core/json.ts'
import { type UnknownRecord, asString } from '../../core/record.ts'
import { HttpError, MalformedJsonError } from '../../errors/index.ts'
import { type Decompress, contentCodings, unpack, unpackedLimit } from './decompress.ts'
import { type RequestHeaders, mediaType } from './headers.ts'

/** Stands for what nobody has looked at yet, where `undefined` is a value. */
export const unread: unique symbol = Symbol('unread')

/** A request's body. Each reading is made once. */
export class RequestBody {
  readonly #event: UnknownRecord
  readonly #headers: RequestHeaders
  readonly #maxBytes: number
  #bytes: Buffer | undefined
  #text: string | undefined
  #json: unknown = unread
  /** What a parser has made of the body, and the body that this was. */
  #data: unknown = unread
  #parsed: unknown

  constructor(event: UnknownRecord, headers: RequestHeaders, decompress?: Decompress) {
    this.#event = event
    this.#headers = headers
    this.#maxBytes = unpackedLimit(decompress)
    this.#parsed = event['body'] ?? undefined
    // What a parser in front has put there is the data.
    if (typeof this.#parsed !== 'string' && this.#parsed !== undefined) this.#data = this.#parsed
  }

  /** What the caller sent, parsed. `body` is what stands in its place now. */
  dataOf(body: unknown): unknown {
    if (body !== this.#parsed) {
      this.#parsed = body
      // What a parser has put there is the data. Text, for instance decoded base64, is still to be parsed.
      if (typeof body !== 'string') this.#data = body
    }
    return this.#data === unread ? this.json() : this.#data
  }

  putData(data: unknown, body: unknown): void {
    this.#parsed = body
    this.#data = data
  }

  get #isBase64(): boolean {
    return this.#event['isBase64Encoded'] === true
  }

  /**
   * The codings to take off, in the order in which the sender put them on. A text has none: packed bytes are base64 in
   * every event, and a REST API that compresses responses unpacks bodies itself.
   * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-make-request-with-compressed-payload.html
   */
  get #codings(): readonly string[] | undefined {
    if (!this.#isBase64) return []
    return this.#maxBytes > 0 ? contentCodings(this.#headers.get('content-encoding')) : undefined
  }

  /** Whether `bytes()` are without the codings that the header `content-encoding` tells of. */
  get isUnpacked(): boolean {
    return this.#codings !== undefined
  }

  /** Whether there is a body that is too long to be read whole. */
  get isUnread(): boolean {
    return this.#event['maxBodyBytes'] !== undefined
  }

  /** @throws HttpError (413), BadRequestError */
  bytes(): Buffer {
    if (this.#bytes !== undefined) return this.#bytes
    this.#refuseUnread()
    return (this.#bytes = unpack(this.#sent(), this.#codings ?? [], this.#maxBytes))
  }

  /** The bytes as they were sent, packed or not. */
  stream(): ReadableStream<Uint8Array> {
    const bytes = this.#sent()
    return new ReadableStream({
      start(controller) {
        if (bytes.length > 0) controller.enqueue(bytes)
        controller.close()
      },
    })
  }

  #sent(): Buffer {
    return Buffer.from(asString(this.#event['body']) ?? '', this.#isBase64 ? 'base64' : 'utf8')
  }

  #refuseUnread(): void {
    if (this.isUnread)
      throw new HttpError(413, `The request body is larger than ${String(this.#event['maxBodyBytes'])} bytes`)
  }

  /** Without a byte order mark. */
  text(): string {
    if (this.#text !== undefined) return this.#text
    this.#refuseUnread()
    const text = this.#isBase64 ? this.bytes().toString() : (asString(this.#event['body']) ?? '')
    return (this.#text = text.startsWith('\ufeff') ? text.slice(1) : text)
  }

  /** @throws MalformedJsonError */
  json(): unknown {
    this.#refuseUnread()
    if (this.#json === unread) this.#json = asString(this.#event['body']) ? this.#parse() : undefined
    return this.#json
  }

  #parse(): unknown {
    try {
      return parseJson(this.text(), 'The request body')
    } catch (error) {
      const why = this.#whyNoJson()
      if (why === undefined || !(error instanceof MalformedJsonError)) throw error
      throw new MalformedJsonError(`The request body (${why})`, error.position)
    }
  }

  #whyNoJson(): string | undefined {
    const coding = this.isUnpacked
      ? undefined
      : /^[\w, -]+$/.exec(this.#headers.get('content-encoding') ?? '')?.[0]
    if (coding !== undefined) return `its content-encoding is ${coding}`
    const type = mediaType(this.#headers.get('content-type'))
    const parser = type === undefined ? undefined : formParsers.get(type)
    return parser && `its content type is ${type}, which ${parser} reads`
  }
}

/** Parsers of the forms that browsers send. */
const formParsers: ReadonlyMap<string, string> = new Map([
  ['application/x-www-form-urlencoded', '@middy/http-urlencode-body-parser'],
  ['multipart/form-data', '@middy/http-multipart-body-parser'],
])
