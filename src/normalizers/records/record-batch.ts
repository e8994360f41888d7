import type { Context } from 'aws-lambda'
import { passForPlainData } from '../../core/plain-data.ts'
import { asRecord } from '../../core/record.ts'
import { invalidEvent } from '../../events/advice.ts'
import { eventKind } from '../../events/event-kind.ts'
import type { RecordRequest } from './record-request.ts'
import type { RecordSource } from './record-source.ts'

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
  readonly Records: readonly unknown[]
  /** The event as Lambda sent it. */
  declare readonly raw: unknown

  readonly #lambdaContext: Context
  readonly #ids: readonly string[]
  readonly #spec: RecordSource<unknown, TRequest>
  #results: RecordResults
  #answer: Promise<unknown> | undefined
  #requests: TRequest[] | undefined
  #abort: AbortController | undefined

  /** @throws InvalidEventError if the event is of another source */
  protected constructor(spec: RecordSource<unknown, TRequest>, event: unknown, lambdaContext: Context) {
    const records = recordsOf(spec, event)
    passForPlainData(new.target.prototype)
    this.kind = `${spec.source}-batch`
    this.source = spec.source
    this.Records = records
    Object.defineProperty(this, 'raw', { value: event })
    this.#lambdaContext = lambdaContext
    this.#spec = spec
    this.#ids = records.map((record) => spec.idOf(record))
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

  /** @internal What the normalizer answers, once that is made. */
  get answer(): Promise<unknown> | undefined {
    return this.#answer
  }
  set answer(value: Promise<unknown> | undefined) {
    this.#answer = value
  }

  /** One request per record, in order. */
  get requests(): readonly TRequest[] {
    return (this.#requests ??= this.Records.map((_, index) => this.#request(index)))
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
  requestOf(index: number): TRequest {
    return this.#requests?.[index] ?? this.#request(index)
  }

  #request(index: number): TRequest {
    return this.#spec.request(this.Records[index], this.#ids[index] as string, this)
  }
}

function recordsOf(spec: RecordSource<unknown, unknown>, event: unknown): readonly unknown[] {
  const kind = eventKind(event)
  if (spec.kinds.includes(kind)) return spec.records(event).slice()
  // A batch of no records names no source.
  const list = asRecord(event)?.['Records']
  if (Array.isArray(list) && list.length === 0) return []
  throw invalidEvent(spec.factory, spec.kinds, kind)
}
