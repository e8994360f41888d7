import type { Context } from 'aws-lambda'
import { asRecord } from '../../core/record.ts'
import { invalidEvent } from '../../events/advice.ts'
import { eventKind } from '../../events/event-kind.ts'
import type { RecordRequest } from './record-request.ts'
import type { RecordSource } from './record-source.ts'

/**
 * A batch of records, as the normalizer of their source leaves it to `eachRecord()`. It carries `Records`, so that
 * Middy's own middlewares can read it.
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
  /** The event as Lambda sent it. */
  readonly raw: unknown
  readonly lambdaContext: Context
  readonly Records: readonly unknown[]
  /** @internal The records' ids, kept from before any handler could change the event. */
  readonly ids: readonly string[]
  /** @internal What its source has of its own. */
  readonly spec: RecordSource<unknown, TRequest>
  /** How each record ended, as far as they have; what happens to the batch later does not change it. */
  results: readonly (PromiseSettledResult<unknown> | undefined)[] | undefined
  /** @internal What the normalizer answers, once that is made. */
  answer: Promise<unknown> | undefined

  #requests: TRequest[] | undefined
  #abort: AbortController | undefined

  /** @throws InvalidEventError if the event is of another source */
  protected constructor(spec: RecordSource<unknown, TRequest>, event: unknown, lambdaContext: Context) {
    const records = recordsOf(spec, event)
    this.kind = `${spec.source}-batch`
    this.source = spec.source
    this.raw = event
    this.lambdaContext = lambdaContext
    this.spec = spec
    this.Records = records
    this.ids = records.map((record) => spec.idOf(record))
  }

  /** @internal */
  static read<TRecord, TRequest>(
    spec: RecordSource<TRecord, TRequest>,
    event: unknown,
    lambdaContext: Context,
  ): RecordBatch<TRequest> {
    return new RecordBatch(spec, event, lambdaContext)
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
    return this.spec.request(this.Records[index], this.ids[index] as string, this)
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
