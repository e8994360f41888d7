import type { Context } from 'aws-lambda'
import { parseJson } from '../../core/json.ts'
import { passForPlainData } from '../../core/plain-data.ts'
import type { BatchScope, RecordRequest } from './record-request.ts'

/** What a record's body is: JSON, text, bytes, or what a function makes of it, which may be a promise. */
export type RecordBody<TRecord> =
  'json' | 'text' | 'bytes' | ((bytes: Uint8Array, record: TRecord) => unknown)

export function isRecordBody(value: unknown): boolean {
  return typeof value === 'function' || value === 'json' || value === 'text' || value === 'bytes'
}

/** What a parsed request is made from, beside its record. */
export interface ParsedRequestParts<TRecord> {
  readonly id: string
  readonly batch: BatchScope
  /** `auto` is JSON where the text is JSON, else the text. */
  readonly body: RecordBody<TRecord> | 'auto'
}

/** In the data's place until that is looked at. */
const unread = Symbol('unread')

/** What the requests of records with a body share. `data` is parsed when it is first looked at. */
export abstract class ParsedRequest<TRecord, TData> implements RecordRequest<TData> {
  abstract readonly kind: string
  abstract readonly source: string
  readonly id: string
  /** The record as Lambda sent it. */
  readonly record: TRecord

  readonly #parts: ParsedRequestParts<TRecord>
  #data: unknown = unread

  protected constructor(record: TRecord, parts: ParsedRequestParts<TRecord>) {
    passForPlainData(new.target.prototype)
    this.id = parts.id
    this.record = record
    this.#parts = parts
  }

  /** The body as text. */
  abstract text(): string

  /** The body's bytes. */
  bytes(): Uint8Array {
    return Buffer.from(this.text())
  }

  get raw(): TRecord {
    return this.record
  }

  get lambdaContext(): Context {
    return this.#parts.batch.lambdaContext
  }

  /** Aborted when the record should stop, because the function's time is nearly up. */
  get signal(): AbortSignal {
    return this.#parts.batch.signal
  }

  /**
   * The body, parsed as the option `body` says.
   * @throws MalformedJsonError
   */
  get data(): TData {
    if (this.#data === unread) this.#data = this.#parse()
    return this.#data as TData
  }
  set data(value: TData) {
    this.#data = value
  }

  #parse(): unknown {
    const { body, id } = this.#parts
    if (typeof body === 'function') return body(this.bytes(), this.record)
    if (body === 'bytes') return this.bytes()
    if (body === 'text') return this.text()
    if (body === 'auto') return parseIfJson(this.text())
    return parseJson(this.text(), `The body of record ${id}`)
  }

  /** @internal Reads the data before the record's function sees it, and waits for it where it is a promise. */
  prepare(): true | Promise<true> {
    const data: unknown = this.data
    if (!(data instanceof Promise)) return true
    return data.then((value) => {
      this.#data = value
      return true
    })
  }
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
