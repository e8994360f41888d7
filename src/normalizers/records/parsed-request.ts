import { ignore } from '../../core/ignore.ts'
import type { Context } from 'aws-lambda'
import { passForPlainData } from '../../core/plain-data.ts'
import { isThenable } from '../../core/thenable.ts'
import { ConfigurationError } from '../../errors/index.ts'
import type { BatchScope, RecordKind, RecordRequest } from './record-request.ts'

/** What a request is made from, beside its record. */
export interface ParsedRequestParts {
  readonly id: string
  readonly batch: BatchScope
}

/** In the data's place until that is looked at. */
const notParsed = Symbol('unread')

/** What the requests of all record sources share. `data` is read when it is first looked at. */
export abstract class ParsedRequest<TRecord, TData> implements RecordRequest<TData> {
  abstract readonly kind: RecordKind
  abstract readonly source: string
  /** Stays the same when AWS delivers the record again. */
  readonly id: string
  /** The record as Lambda sent it. */
  readonly record: TRecord

  readonly #batch: BatchScope
  #data: unknown = notParsed
  /** Where the body has to be waited for. */
  #reading: Promise<void> | undefined

  protected constructor(record: TRecord, { id, batch }: ParsedRequestParts) {
    passForPlainData(new.target.prototype)
    this.id = id
    this.record = record
    this.#batch = batch
  }

  /** The data, or a promise of it. */
  protected abstract read(): unknown

  /** Whether there is anything to do, once the data is read. */
  protected get hasWork(): boolean {
    return true
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
   * What was sent, parsed.
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

  /** Reads the data, where nobody has yet. */
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
