import type { Context } from 'aws-lambda'
import { passForPlainData } from '../../core/plain-data.ts'
import { ConfigurationError, InvalidEventError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import { absent } from '../../events/event-sources.ts'
import { invalidEvent } from '../../events/advice.ts'
import { eventKind } from '../../events/event-kind.ts'
import type { BatchScope, RecordRequest } from './record-request.ts'
import type { RecordIdentifier, RecordSource } from './record-source.ts'

type RecordResults = readonly (PromiseSettledResult<unknown> | undefined)[] | undefined

/**
 * A batch of records, as the normalizer of their source leaves it to `eachRecord()`. It carries `Records`, so that
 * Middy's own middlewares can read it. A log, a copy and a clone have `kind`, `source` and `Records`.
 *
 * @example
 * ```ts
 * import type { RecordBatch } from 'clearskies-middy'
 *
 * export const sources = ({ requests }: RecordBatch) => new Set(requests.map(({ source }) => source))
 * ```
 */
export class RecordBatch<TRequest = RecordRequest> {
  readonly kind: `${string}-batch`
  readonly source: string
  /** Frozen: what is left out, or stands elsewhere, would be answered for another record. */
  readonly Records: readonly unknown[]
  /** The event as Lambda sent it. */
  declare readonly raw: unknown

  readonly #raw: unknown
  readonly #lambdaContext: Context
  readonly #records: readonly unknown[]
  readonly #ids: readonly string[]
  readonly #identifiers: readonly (RecordIdentifier | undefined)[]
  readonly #spec: RecordSource<unknown, TRequest>
  #results: RecordResults
  #throwsIfAllFail = false
  #answer: Promise<unknown> | undefined
  #requests: readonly TRequest[] | undefined
  #abort: AbortController | undefined

  // A getter of the class's own, which a subclass may declare more narrowly: a property that no log shows costs each batch more.
  static {
    Object.defineProperty(this.prototype, 'raw', {
      get(this: RecordBatch) {
        return this.#raw
      },
    })
  }

  /** @throws InvalidEventError if the event is of another source */
  protected constructor(spec: RecordSource<unknown, TRequest>, event: unknown, lambdaContext: Context) {
    const records = Object.freeze(recordsOf(spec, event).slice())
    passForPlainData(new.target.prototype)
    this.kind = `${spec.source}-batch`
    this.source = spec.source
    this.Records = records
    this.#records = records
    this.#raw = event
    this.#lambdaContext = lambdaContext
    this.#spec = spec
    this.#ids = records.map((record) => spec.idOf(asRecord(record) ?? absent) as string)
    this.#identifiers =
      spec.identifierOf === undefined
        ? this.#ids
        : records.map((record) => spec.identifierOf?.(asRecord(record) ?? absent))
  }

  /** @internal */
  static read<TRecord, TRequest>(
    spec: RecordSource<TRecord, TRequest>,
    event: unknown,
    lambdaContext: Context,
  ): RecordBatch<TRequest> {
    return new RecordBatch(spec, event, lambdaContext)
  }

  get lambdaContext(): Context {
    return this.#lambdaContext
  }

  /** @internal The records' ids, kept from before any handler could change the event. */
  get ids(): readonly string[] {
    return this.#ids
  }

  /** @internal What names the records in the answer, kept in the same way. */
  get identifiers(): readonly (RecordIdentifier | undefined)[] {
    return this.#identifiers
  }

  /** @internal What its source has of its own. */
  get spec(): RecordSource<unknown, TRequest> {
    return this.#spec
  }

  /** How each record ended, as far as they have; what happens to the batch later does not change it. */
  get results(): RecordResults {
    return this.#results
  }
  set results(value: RecordResults) {
    this.#results = value
  }

  /** @internal Whether the invocation fails where every record did. */
  get throwsIfAllFail(): boolean {
    return this.#throwsIfAllFail
  }
  set throwsIfAllFail(value: boolean) {
    this.#throwsIfAllFail = value
  }

  /** @internal What the normalizer answers, once that is made. */
  get answer(): Promise<unknown> | undefined {
    return this.#answer
  }
  set answer(value: Promise<unknown> | undefined) {
    this.#answer = value
  }

  /** One request per record, in order; frozen as the records are. */
  get requests(): readonly TRequest[] {
    return (this.#requests ??= Object.freeze(this.#records.map((_, index) => this.#request(index, this))))
  }

  /** Aborted when the records should stop, because the function's time is nearly up. */
  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal
  }

  /** @internal */
  abort(reason: Error): void {
    this.#abort ??= new AbortController()
    this.#abort.abort(reason)
  }

  /** @internal The request of one record. A batch can have 10,000: unless somebody has looked at all, none is kept. */
  requestOf(index: number, scope: BatchScope = this): TRequest {
    return (scope === this ? this.#requests?.[index] : undefined) ?? this.#request(index, scope)
  }

  /** @internal Whether the event is still this batch, with the records that came. */
  isIntact(event: unknown): boolean {
    return event === this && this.Records === this.#records
  }

  /** @internal @throws ConfigurationError if somebody has put another event, or other records, in the place of those that came */
  checkRecords(event: unknown): void {
    if (!this.isIntact(event))
      throw new ConfigurationError(
        `A middleware behind ${this.#spec.factory}() has changed the event or its Records: put it in front, so that each result is of the record that came`,
      )
  }

  #request(index: number, scope: BatchScope): TRequest {
    return this.#spec.request(this.#records[index], this.#ids[index] as string, scope)
  }
}

/** EventBridge Pipes sends the bare list. */
function recordsOf(spec: RecordSource<unknown, unknown>, event: unknown): readonly unknown[] {
  const kind = eventKind(event)
  if (spec.kinds.includes(kind)) return Array.isArray(event) ? event : spec.records(event)
  const list = Array.isArray(event) ? event : asRecord(event)?.['Records']
  // A batch of no records names no source.
  if (Array.isArray(list) && list.length === 0) return []
  if (Array.isArray(list) && kind === 'direct')
    throw new InvalidEventError(
      kind,
      spec.kinds,
      `${spec.factory}() takes ${spec.kinds.join(', ')} and got records without an eventSource, which Lambda and EventBridge Pipes always send`,
    )
  throw invalidEvent(spec.factory, spec.kinds, kind)
}
