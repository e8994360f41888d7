import type { EventKind } from '../../events/event-kind.ts'
import type { Logger } from '../../core/logger.ts'
import type { UnknownRecord } from '../../core/record.ts'
import type { RecordLane } from './lanes.ts'
import type { EachRecordOptions } from './options.ts'
import type { BatchScope } from './record-request.ts'

/** All that differs between the sources that come as records. */
export interface RecordSource<TRecord, TRequest> {
  /** The normalizer, as messages call it. */
  readonly factory: string
  /** `source` and `kind` of the requests; the batch's kind is `<source>-batch`. */
  readonly source: string
  /** The events that it takes, as `eventKind()` calls them. */
  readonly kinds: readonly EventKind[]
  records(event: unknown): readonly TRecord[]
  /** Identifies a record in answers, messages and logs. A record may lack anything, or be none. */
  idOf(record: UnknownRecord): string | undefined
  /** Names a record in the answer. @default its id */
  identifierOf?(record: UnknownRecord): RecordIdentifier | undefined
  /** The request of one record. It is made when it is needed, and must be cheap. */
  request(record: TRecord, id: string, batch: BatchScope): TRequest
  /**
   * Reads a record before its function sees it, so that a malformed body never reaches one. Tells whether there is
   * anything to do; a promise only where it has to wait.
   */
  prepare?(request: TRequest): boolean | Promise<boolean>
  /** Who waits for whom; without it no record waits for another. */
  lanes?(batch: AnsweredBatch<TRecord>, options: EachRecordOptions<TRequest>): RecordLanes | undefined
  /**
   * Whether all that is behind the first failure comes again, whatever it comes to. Then nothing of it is begun any more.
   */
  readonly repeatsRest?: boolean
  /** What else is done about failed records. A source that has none refuses the options that are for it. */
  afterCare?(options: EachRecordOptions<TRequest>, tools: AfterCareTools): AfterCare<TRequest>
  /** Whether the function's values are part of the answer; then no value is a failure, whatever its status. */
  readonly takesValues?: boolean
  readonly answer: RecordAnswer<TRecord>
}

/** What an answer is made from beside the results. */
export interface AnsweredBatch<TRecord> {
  readonly Records: readonly TRecord[]
  /** The records' ids, in their order. */
  readonly ids: readonly string[]
  /** What names them in the answer. */
  readonly identifiers: readonly (RecordIdentifier | undefined)[]
}

/** A message's id, a number in a stream, or a place in a partition. */
export type RecordIdentifier = string | { readonly partition: string; readonly offset: number }

/** How a source learns what the records came to. */
export interface RecordAnswer<TRecord> {
  /** Whether failures fail the invocation, for lack of any other answer. */
  readonly failsInvocation?: boolean
  /** Whether nothing of what it lists comes again, so that a batch that was not worked has to fail the invocation. */
  readonly isFinal?: boolean
  /** The answer where every record is done. None if it has to be made from the results. */
  done?(): unknown
  /** The answer to one result per record, or a promise of it. Throws where the invocation has to fail. */
  from(
    results: readonly PromiseSettledResult<unknown>[],
    batch: AnsweredBatch<TRecord>,
    logger: Logger,
  ): unknown
  /** Whether a handler has answered by itself. */
  isAnswer(response: unknown, batch: AnsweredBatch<TRecord>): boolean
  /** An answer with the failures that another one lists besides. */
  join(answer: unknown, other: unknown, batch: AnsweredBatch<TRecord>): unknown
}

/** The order in which records are worked. */
export interface RecordLanes {
  readonly lanes: readonly RecordLane[]
  /** Records that are in no lane, each with the one whose result it shares. */
  readonly copies?: ReadonlyMap<number, number> | undefined
}

/** What is done about the failed records of one batch, beside listing them. */
export interface AfterCare<TRequest> {
  /** Told of each failed record. True if the record is done all the same. */
  failed(error: unknown, request: TRequest): boolean | Promise<boolean>
  /** What is left to do when all records have ended. */
  finish(): Promise<void> | undefined
}

/** What after-care works with. */
export interface AfterCareTools {
  /** When the batch was received, as `Date.now()` counts it. */
  readonly receivedAt: number
  warn(message: string, details?: unknown): void
}
