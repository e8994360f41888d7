import { parseIfJson, parseJson } from '../../core/json.ts'
import { ParsedRequest, type ParsedRequestParts } from './parsed-request.ts'

/** What a record's body is: JSON, text, bytes, or what a function makes of it, which may be a promise. */
export type RecordBody<TRecord> =
  'json' | 'text' | 'bytes' | ((bytes: Uint8Array, record: TRecord) => unknown)

/** Checks the option `body`. */
export function isRecordBody(value: unknown): boolean {
  return typeof value === 'function' || value === 'json' || value === 'text' || value === 'bytes'
}

/** What a request with a body is made from, beside its record. */
export interface BodyRequestParts<TRecord> extends ParsedRequestParts {
  /** `auto` is JSON where the text is JSON, else the text. */
  readonly body: RecordBody<TRecord> | 'auto'
}

/** What the requests of records with a body share. */
export abstract class BodyRequest<TRecord, TData> extends ParsedRequest<TRecord, TData> {
  readonly #body: BodyRequestParts<TRecord>['body']

  protected constructor(record: TRecord, parts: BodyRequestParts<TRecord>) {
    super(record, parts)
    this.#body = parts.body
  }

  /** The body as it was sent: text, or the bytes that its base64 stands for. */
  protected abstract get sent(): string | Buffer

  // Getters, so that `const { text } = request` gives a function that works.

  /** Gives the body as text. */
  get text(): () => string {
    return () => this.sent.toString()
  }

  /** Gives the body's bytes. */
  get bytes(): () => Uint8Array {
    return () => {
      const { sent } = this
      return typeof sent === 'string' ? Buffer.from(sent) : sent
    }
  }

  /** The body, parsed as the option says, or a promise of it. */
  protected override read(): unknown {
    const body = this.#body
    if (typeof body === 'function') return body(this.bytes(), this.record)
    if (body === 'bytes') return this.bytes()
    if (body === 'text') return this.text()
    if (body === 'auto') return parseIfJson(this.text())
    return parseJson(this.text(), `The body of record ${this.id}`)
  }
}
