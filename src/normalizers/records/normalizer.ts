import type { Context } from 'aws-lambda'
import {
  ConfigurationError,
  SqsFlushTimeoutError,
  SqsSendError,
  UnidentifiedRecordError,
} from '../../errors/index.ts'
import {
  awaitSends,
  finalizeResponse,
  pinResponse,
  settleSends,
  opensInvocation,
} from '../../invocation/middy-request.ts'
import { type Logger, defaultLogger, logSafely } from '../../core/logger.ts'
import { asRecord } from '../../core/record.ts'
import type { MiddyRequest, Middleware } from '../../core/middy.ts'
import { throwIfAllFailed } from './answers.ts'
import type { RecordBatch } from './record-batch.ts'

type AnyBatch = RecordBatch<unknown>

/** Where a request keeps the batch that came, whatever middlewares make of `event`. */
const opened: unique symbol = Symbol('batch')

type BatchRequest = MiddyRequest & { [opened]?: AnyBatch }

/**
 * The normalizer of a record source: turns the event into a batch for `eachRecord()`, and one result per record into the
 * answer that the source takes.
 */
export function normalizesRecords<TBatch extends AnyBatch>(
  read: (event: unknown, context: Context) => TBatch,
  logger: Logger = defaultLogger,
): Middleware<TBatch> {
  function open(request: MiddyRequest): void {
    awaitSends(request, middleware)
    begin(request, { read, logger })
  }

  const middleware = {
    before: function recordsBefore(request: MiddyRequest): void | Promise<void> {
      return opensInvocation(request, open)
    },
    after: function recordsAfter(request: MiddyRequest): void | Promise<void> {
      const settling = settleSends(request, middleware)
      return settling === undefined
        ? answerBatch(request, logger)
        : settling.then(() => answerBatch(request, logger))
    },
    onError: async function recordsOnError(request: MiddyRequest): Promise<void> {
      const { [opened]: batch, error }: BatchRequest = request
      if (batch === undefined) return
      const response = heard(request.response, { request, batch })
      await settleSends(request, middleware)?.catch((failure: unknown) => {
        logSafely(logger, 'error', 'A message was not sent', failure)
      })
      const own = await ownError(batch)
      if (own !== undefined || failsWhole(request, batch)) {
        failWith(request, own ?? error)
        return
      }
      if (batch.results !== undefined || !batch.spec.answer.isAnswer(response, batch))
        logSafely(logger, 'error', 'The batch failed', error)
      keepAnswer(request, batch, await answerFor(batch, response, { reason: error, logger }))
    },
  }
  return middleware
}

/** Why there is no answer to what the records came to. A middleware behind may have put another error in its place. */
function ownError({ answer }: AnyBatch): Promise<unknown> | undefined {
  return answer?.then(
    () => undefined,
    (error: unknown) => error,
  )
}

interface Reading<TBatch> {
  read(event: unknown, context: Context): TBatch
  readonly logger: Logger
}

function begin(request: BatchRequest, { read, logger }: Reading<AnyBatch>): void {
  const batch = readOrFail(request, read)
  request[opened] = batch
  request.event = batch
  // Another middleware may answer past this one: any answer that lists nothing says that all went well.
  finalizeResponse(request, (response) => {
    const reason: unknown = request.error ?? new ConfigurationError(earlyAnswer)
    if (failsWhole(request, batch)) throw reason
    return answerFor(batch, heard(response, { request, batch }), { reason, logger })
  })
}

function answerBatch(request: BatchRequest, logger: Logger): void | Promise<void> {
  const { [opened]: batch, response } = request
  if (batch === undefined) throw new ConfigurationError('The batch of records is gone')
  if (batch.results === undefined) batch.checkRecords(request.event)
  takeResults(batch, response)
  const { results, spec } = batch
  if (results === undefined && !spec.answer.isAnswer(response, batch))
    throw new ConfigurationError(noResults(spec.factory))
  if (spec.answer.done !== undefined && response === results && areFulfilled(results))
    keepAnswer(request, batch, spec.answer.done())
  else
    return answerFor(batch, response, { reason: undefined, logger }).then((made) => {
      keepAnswer(request, batch, made)
    })
}

/** A handler that was given another event, or other records, has answered for these. */
function heard(response: unknown, { request, batch }: { request: MiddyRequest; batch: AnyBatch }): unknown {
  return batch.results !== undefined || batch.isIntact(request.event) ? response : undefined
}

function readOrFail(request: MiddyRequest, read: Reading<AnyBatch>['read']): AnyBatch {
  try {
    return read(request.event, request.context)
  } catch (error) {
    // A middleware in front that answers errors would answer an event that nobody has worked.
    failWith(request, error)
    throw error
  }
}

/**
 * Fails the invocation with this error, whatever middlewares in front make of it in their `onError`. What they set as the
 * response stays an object that they can go on with, and Middy, which awaits it in the end, finds the error in it.
 */
function failWith(request: MiddyRequest, error: unknown): void {
  pinResponse(request, (response) => {
    if (response === undefined) return undefined
    return {
      ...asRecord(response),
      then: (_: unknown, reject: (reason: unknown) => void) => {
        reject(error)
      },
    }
  })
}

interface Telling {
  /** Why records have no result of their own. */
  readonly reason: unknown
  readonly logger: Logger
}

/** What the records came to stands, whatever another middleware answers: that may list more, and never less. */
async function answerFor(batch: AnyBatch, response: unknown, telling: Telling): Promise<unknown> {
  const { answer } = batch.spec
  takeResults(batch, response)
  if (batch.results === undefined && answer.isAnswer(response, batch)) return response
  return answer.join(await (batch.answer ??= answerOf(batch, telling)), response, batch)
}

/** A handler of the whole batch may answer with what `Promise.allSettled()` gives, one result per record. */
function takeResults(batch: AnyBatch, response: unknown): void {
  if (batch.results === undefined && isSettledList(response) && response.length === batch.ids.length)
    batch.results = response
}

function isSettledList(response: unknown): response is readonly PromiseSettledResult<unknown>[] {
  return Array.isArray(response) && response.every((result) => statuses.has(asRecord(result)?.['status']))
}

const statuses: ReadonlySet<unknown> = new Set<PromiseSettledResult<unknown>['status']>([
  'fulfilled',
  'rejected',
])

/** What the records came to, told once. A record without a result of its own comes again. */
async function answerOf(batch: AnyBatch, { reason, logger }: Telling): Promise<unknown> {
  const { results = [], ids, spec } = batch
  if (spec.answer.isFinal === true && batch.results === undefined) throw reason
  const rejected: PromiseRejectedResult = { status: 'rejected', reason }
  const all = ids.map((_, index) => results[index] ?? rejected)
  const answer = await spec.answer.from(all, batch, logger)
  if (batch.throwsIfAllFail) throwIfAllFailed(all)
  return answer
}

/** Answers, and keeps to it against middlewares in front, whose `after` and `onError` come later. */
function keepAnswer(request: MiddyRequest, batch: AnyBatch, answer: unknown): void {
  pinResponse(request, (response) => batch.spec.answer.join(answer, response, batch))
}

function noResults(factory: string): string {
  return `${factory}() got no result per record: give .handler(eachRecord(…)), or return { batchItemFailures } or what Promise.allSettled() gives for its requests`
}

const earlyAnswer =
  'A middleware answered the batch before its records were worked: a hook must return nothing, and may throw'

function areFulfilled(results: AnyBatch['results']): boolean {
  if (results === undefined) return false
  for (const result of results) if (result?.status !== 'fulfilled') return false
  return true
}

/**
 * A source that takes no list, a record that cannot be named, a message that got lost outside of any record, or an event
 * that is no batch any more: only all records together can come again.
 */
function failsWhole({ event, error }: MiddyRequest, batch: AnyBatch): boolean {
  const { spec, results } = batch
  if (results === undefined && event !== batch) return true
  if (error === undefined || error === null) return false
  return (
    spec.answer.failsInvocation === true ||
    (spec.answer.isFinal === true && results === undefined) ||
    error instanceof UnidentifiedRecordError ||
    error instanceof SqsSendError ||
    error instanceof SqsFlushTimeoutError
  )
}
