import { BadRequestError, RetryLaterError, UnidentifiedRecordError } from '../../errors/index.ts'
import { findCause } from '../../core/causes.ts'
import { fieldNames } from '../../core/field-names.ts'
import { type Logger, logSafely } from '../../core/logger.ts'
import { errorOf } from '../../core/thrown-response.ts'
import { asRecord } from '../../core/record.ts'
import type { RecordAnswer } from './record-source.ts'

/** What is listed in a source's answer. */
export interface FailureRule<TRecord> {
  /** Of the failed records of one group, the first is listed. */
  group(record: TRecord, id: string): string
  /** How a record is named in the list. @default its id */
  identifier?(record: TRecord, id: string): unknown
}

interface Item {
  readonly itemIdentifier: unknown
}

/** What the event source mappings of Lambda take with `ReportBatchItemFailures`. */
export interface FailureList {
  readonly batchItemFailures: readonly Item[]
}

/** Each failed record, once however often it came: what is not listed is done. */
export const eachFailure: RecordAnswer<unknown> = failureList({ group: (_, id) => id })

/** Where a stream has to go on: the first record that is not done, in all or of each group. */
export function firstFailure<TRecord>(rule: Partial<FailureRule<TRecord>> = {}): RecordAnswer<TRecord> {
  return failureList({ group: () => '', ...rule })
}

function failureList<TRecord>({ group, identifier }: FailureRule<TRecord>): RecordAnswer<TRecord> {
  type Batch = Parameters<RecordAnswer<TRecord>['from']>[1]

  function list({ Records, ids }: Batch, isFailed: (index: number) => boolean): FailureList {
    const groups = new Map<string, Item>()
    for (const [index, record] of Records.entries()) {
      if (!isFailed(index)) continue
      const id = ids[index] ?? ''
      const key = group(record, id)
      if (!groups.has(key)) groups.set(key, { itemIdentifier: identifier?.(record, id) ?? id })
    }
    return { batchItemFailures: [...groups.values()] }
  }

  function keysOf({ Records, ids }: Batch): string[] {
    return ids.map((id, index) => {
      const record = Records[index]
      return record === undefined ? id : identifierKey(identifier?.(record, id) ?? id)
    })
  }

  /** Every item that is listed must be of this batch: any other fails it whole. */
  function isAnswer(response: unknown, batch: Batch): response is FailureList {
    const items = asRecord(response)?.['batchItemFailures']
    if (!Array.isArray(items)) return false
    const keys = new Set(keysOf(batch))
    return items.every((item) => {
      const key = identifierKey(asRecord(item)?.['itemIdentifier'])
      return key !== '' && keys.has(key)
    })
  }

  return {
    done: () => ({ batchItemFailures: [] }),
    from(results, batch, logger) {
      const failed = new Set(failedOf(results, batch.ids))
      logFailures(results, batch, logger)
      return list(batch, (index) => failed.has(index))
    },
    isAnswer,
    join(answer, other, batch) {
      if (other === answer || !isAnswer(other, batch) || !isAnswer(answer, batch)) return answer
      const listed = new Set([...answer.batchItemFailures, ...other.batchItemFailures].map(keyOfItem))
      const keys = keysOf(batch)
      return list(batch, (index) => listed.has(keys[index] ?? ''))
    },
  }
}

function identifierKey(identifier: unknown): string {
  if (identifier === undefined) return ''
  return typeof identifier === 'string' ? identifier : JSON.stringify(identifier)
}

function keyOfItem({ itemIdentifier }: Item): string {
  return identifierKey(itemIdentifier)
}

/** No partial answer exists: all is done, or the invocation fails with the one error, or with an AggregateError. */
export const whole: RecordAnswer<unknown> = {
  failsInvocation: true,
  done: () => undefined,
  from(results, batch, logger) {
    const reasons = new Set<unknown>()
    for (const result of results) if (result.status === 'rejected') reasons.add(errorOf(result.reason))
    if (reasons.size === 0) return undefined
    if (reasons.size > 1) logFailures(results, batch, logger)
    const [first] = reasons
    throw reasons.size === 1 ? first : new AggregateError(reasons, `${reasons.size} records failed`)
  },
  isAnswer: () => false,
  join: (answer) => answer,
}

type FromResults = Parameters<RecordAnswer<unknown>['from']>

/** @throws UnidentifiedRecordError if a failed record has no id */
export function failedOf(results: FromResults[0], ids: readonly string[]): number[] {
  const failed: number[] = []
  for (const [index, result] of results.entries()) {
    if (result.status !== 'rejected') continue
    if (!ids[index]) throw new UnidentifiedRecordError(index, { cause: result.reason })
    failed.push(index)
  }
  return failed
}

function logFailures(results: FromResults[0], { ids }: FromResults[1], logger: FromResults[2]): void {
  for (const [index, result] of results.entries())
    if (result.status === 'rejected') logFailure(logger, ids[index] ?? '', result.reason)
}

/**
 * Tells of a failed record by its id, and of the fields that do not fit, never of a value. A wish to get the record later
 * is no failure.
 */
export function logFailure(logger: Logger, id: string, reason: unknown): void {
  const wish = findCause(reason, isRetryLater)
  if (wish === undefined) logSafely(logger, 'error', `Record ${id} failed${misfits(reason)}`, reason)
  else logSafely(logger, 'info', `Record ${id} is to come again later`, wish.message)
}

function isRetryLater(error: unknown): error is RetryLaterError {
  return error instanceof RetryLaterError
}

function misfits(reason: unknown): string {
  const { errors = [] } = findCause(reason, isBadRequest) ?? {}
  return errors.length > 0 ? `: ${fieldNames(errors)}` : ''
}

function isBadRequest(error: unknown): error is BadRequestError {
  return error instanceof BadRequestError
}
