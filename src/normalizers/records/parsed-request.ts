import { ignore } from '../../core/ignore.ts'
import type { Context } from 'aws-lambda'
import { parseJson } from '../../core/json.ts'
import { passForPlainData } from '../../core/plain-data.ts'
import { isThenable } from '../../core/thenable.ts'
import { ConfigurationError } from '../../errors/index.ts'
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
const notParsed = Symbol('unread')

/** What the requests of records with a body share. `data` is parsed when it is first looked at. */
export abstract class ParsedRequest<TRecord, TData> implements RecordRequest<TData> {
  abstract readonly kind: string
  abstract readonly source: string
  /** Stays the same when AWS delivers the record again. */
  readonly id: string
  /** The record as Lambda sent it. */
  readonly record: TRecord

  readonly #batch: BatchScope
  #data: unknown = notParsed
  /** Where the body has to be waited for. */
  #reading: Promise<void> | undefined

  protected constructor(record: TRecord, { id, batch }: Pick<ParsedRequestParts<TRecord>, 'id' | 'batch'>) {
    passForPlainData(new.target.prototype)
    this.id = id
    this.record = record
    this.#batch = batch
  }

  /** The body as text. */
  abstract text(): string

  /** What the body is, parsed, or a promise of it. */
  protected abstract read(): unknown

  /** Whether there is anything to do, once the body is read. */
  protected get hasWork(): boolean {
    return true
  }

  /** The body's bytes. */
  bytes(): Uint8Array {
    return Buffer.from(this.text())
  }

  get raw(): TRecord {
    return this.record
  }

  get lambdaContext(): Context {
    return this.#batch.lambdaContext
  }

  /** Aborted when the record should stop, because its time or the function's is nearly up. */
  get signal(): AbortSignal {
    return this.#batch.signal
  }

  /**
   * The body, parsed as the option `body` says.
   * @throws MalformedJsonError
   * @throws ConfigurationError outside of `eachRecord()` if the body is read asynchronously
   */
  get data(): TData {
    this.ensureRead()
    return this.#data as TData
  }
  set data(value: TData) {
    this.#data = value
  }

  /** Reads the body, where nobody has yet. */
  protected ensureRead(): void {
    if (this.#data !== notParsed || this.#read() === undefined) return
    this.#reading?.catch(ignore)
    throw new ConfigurationError(
      `The body of record ${this.id} is read asynchronously, and only eachRecord() waits for it`,
    )
  }

  /** A promise where the body has to be waited for. */
  #read(): Promise<void> | undefined {
    if (this.#reading !== undefined) return this.#reading
    const data = this.read()
    if (isThenable(data))
      return (this.#reading = Promise.resolve(data).then((value) => {
        this.#data = value
      }))
    this.#data = data
    return undefined
  }

  /** @internal Reads the body before the record's function sees it. Tells whether there is anything to do. */
  prepare(): boolean | Promise<boolean> {
    return (this.#data === notParsed ? this.#read() : undefined)?.then(() => this.hasWork) ?? this.hasWork
  }
}

/** Parses a body as an option says that is alike for all sources but SQS. */
export function parsedBody<TRecord>(
  request: ParsedRequest<TRecord, unknown>,
  body: ParsedRequestParts<TRecord>['body'],
): unknown {
  if (typeof body === 'function') return body(request.bytes(), request.record)
  if (body === 'bytes') return request.bytes()
  if (body === 'text') return request.text()
  if (body === 'auto') return parseIfJson(request.text())
  return parseJson(request.text(), `The body of record ${request.id}`)
}

/** JSON where the text is JSON, else the text. */
export function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
