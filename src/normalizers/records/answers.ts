import { BadRequestError, RetryLaterError, UnidentifiedRecordError } from '../../errors/index.ts'
import { findCause } from '../../core/causes.ts'
import { fieldNames } from '../../core/field-names.ts'
import { type Logger, logSafely } from '../../core/logger.ts'
import { errorOf } from '../../core/thrown-response.ts'
import { asRecord, asString } from '../../core/record.ts'
import type { RecordAnswer, RecordIdentifier } from './record-source.ts'

type FromResults = Parameters<RecordAnswer<unknown>['from']>

interface Item {
  readonly itemIdentifier: RecordIdentifier
}

/** What the event source mappings of Lambda take with `ReportBatchItemFailures`. */
export interface FailureList {
  readonly batchItemFailures: readonly Item[]
}

/** Each failed record, once however often it came: what is not listed is done. */
export const eachFailure: RecordAnswer<unknown> = failureList(identifierKey)

/**
 * Where a stream has to go on: at the lowest number that is not done, or at the lowest offset of each partition. Lambda
 * runs everything from there again, also what is done.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export const lowestFailure: RecordAnswer<unknown> = failureList(
  // A stream of numbers is one group.
  (identifier) => asRecord(identifier)?.['partition'],
  'sequence number or offset',
)

/**
 * @param groupOf - Of the failed records of one group, the lowest is listed
 * @param named - What names a record, for messages
 */
function failureList(
  groupOf: (identifier: RecordIdentifier) => unknown,
  named?: string,
): RecordAnswer<unknown> {
  const list = (identifiers: readonly (RecordIdentifier | undefined)[]): FailureList => ({
    batchItemFailures: lowestOfEach(identifiers, groupOf).map((itemIdentifier) => ({ itemIdentifier })),
  })

  /** Every item that is listed must be of this batch: any other fails it whole. */
  function isAnswer(response: unknown, { identifiers }: FromResults[1]): response is FailureList {
    const items = asRecord(response)?.['batchItemFailures']
    if (!Array.isArray(items)) return false
    const keys = new Set(identifiers.map(identifierKey))
    return items.every((item) => {
      const key = identifierKey(asRecord(item)?.['itemIdentifier'])
      return key !== '' && keys.has(key)
    })
  }

  return {
    done: () => ({ batchItemFailures: [] }),
    from(results, batch, logger) {
      const failed = failedOf(results, batch.identifiers, named)
      logFailures(results, batch, logger)
      return list(failed.map((index) => batch.identifiers[index]))
    },
    isAnswer,
    join(answer, other, batch) {
      if (other === answer || !isAnswer(other, batch) || !isAnswer(answer, batch)) return answer
      const items = [...answer.batchItemFailures, ...other.batchItemFailures]
      const listed = new Set(items.map(({ itemIdentifier }) => identifierKey(itemIdentifier)))
      return list(batch.identifiers.filter((identifier) => listed.has(identifierKey(identifier))))
    },
  }
}

function lowestOfEach(
  identifiers: readonly (RecordIdentifier | undefined)[],
  groupOf: (identifier: RecordIdentifier) => unknown,
): RecordIdentifier[] {
  const groups = new Map<unknown, RecordIdentifier>()
  for (const identifier of identifiers) {
    if (identifier === undefined) continue
    const group = groupOf(identifier)
    const lowest = groups.get(group)
    if (lowest === undefined || isLowerNumber(identifier, lowest)) groups.set(group, identifier)
  }
  return [...groups.values()]
}

function identifierKey(identifier: unknown): string {
  const { partition, offset } = asRecord(identifier) ?? {}
  if (typeof partition === 'string' && typeof offset === 'number') return `${offset} ${partition}`
  return asString(identifier) ?? ''
}

/** Numbers of a stream have up to 56 digits, and not all have as many. What is no number is never the lower one. */
function isLowerNumber(identifier: RecordIdentifier, other: RecordIdentifier): boolean {
  return numberIn(identifier) < numberIn(other)
}

function numberIn(identifier: RecordIdentifier): bigint | number {
  const digits = typeof identifier === 'string' ? identifier : String(identifier.offset)
  return /^\d+$/.test(digits) ? BigInt(digits) : NaN
}

/** No partial answer exists: all is done, or the invocation fails with the one error, or with an AggregateError. */
export const whole: RecordAnswer<unknown> = {
  failsInvocation: true,
  done: () => undefined,
  from(results, batch, logger) {
    const reasons = reasonsOf(results)
    if (reasons.size === 0) return undefined
    if (reasons.size > 1) logFailures(results, batch, logger)
    throw combined(reasons)
  },
  isAnswer: () => false,
  join: (answer) => answer,
}

function reasonsOf(results: FromResults[0]): Set<unknown> {
  const reasons = new Set<unknown>()
  for (const result of results) if (result.status === 'rejected') reasons.add(errorOf(result.reason))
  return reasons
}

/** The one error, or all in one. */
function combined(reasons: ReadonlySet<unknown>): unknown {
  const [first] = reasons
  return reasons.size > 1 ? new AggregateError(reasons, `${reasons.size} records failed`) : first
}

/** Throws the error of a batch of which no record is done, unless all of them are only to come again later. */
export function throwIfAllFailed(results: FromResults[0]): void {
  if (results.some(({ status }) => status === 'fulfilled')) return
  const reasons = reasonsOf(results)
  if ([...reasons].some((reason) => findCause(reason, isRetryLater) === undefined)) throw combined(reasons)
}

/** @throws UnidentifiedRecordError if nothing can name a failed record */
export function failedOf(results: FromResults[0], identifiers: readonly unknown[], named?: string): number[] {
  const failed: number[] = []
  for (const [index, result] of results.entries()) {
    if (result.status !== 'rejected') continue
    if (!identifiers[index])
      throw new UnidentifiedRecordError(index, {
        cause: result.reason,
        ...(named !== undefined && { id: named }),
      })
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
