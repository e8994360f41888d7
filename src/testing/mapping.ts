import { asRecord } from '../core/record.ts'
import { type AnyHandler, invoke } from './invoke.ts'
import { lambdaContext } from './lambda-context.ts'

/** What of a mapping's options its invocations need. */
interface MappingOptions {
  readonly timeout?: number
  readonly reportBatchItemFailures?: boolean
}

/** What an invocation came to. */
export interface InvocationOutcome {
  /** The ids of the records that are not done. */
  readonly failed: readonly string[]
  readonly milliseconds: number
  /** What the handler threw, or that its time was up, if so. */
  readonly error?: unknown
}

/** A function, and the event of one batch for it. */
export interface BatchCall {
  readonly handler: AnyHandler
  readonly event: unknown
  /** The ids of its records. */
  readonly ids: readonly string[]
}

/** Invokes a function with a batch, and reads its answer by Lambda's rules. */
export async function invokeBatch(
  { handler, event, ids }: BatchCall,
  { timeout = 30_000, reportBatchItemFailures = true }: MappingOptions,
): Promise<InvocationOutcome> {
  const started = performance.now()
  try {
    const answer = await untilTimeIsUp(invoke(handler, event, lambdaContext({ timeout })), timeout)
    const failed = reportBatchItemFailures ? failedIds(answer, ids) : []
    return { failed, milliseconds: performance.now() - started }
  } catch (error) {
    return { failed: ids, milliseconds: performance.now() - started, error }
  }
}

/** Lambda ends an invocation when its time is up, whatever the handler does. */
async function untilTimeIsUp(work: Promise<unknown>, timeout: number): Promise<unknown> {
  const timeUp = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    timeUp.reject(new Error(`Task timed out after ${(timeout / 1000).toFixed(2)} seconds`))
  }, timeout)
  try {
    return await Promise.race([work, timeUp.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Lambda's rules: nothing listed means all is well; anything listed that it does not understand means nothing is. */
function failedIds(answer: unknown, ids: readonly string[]): readonly string[] {
  const listed = asRecord(answer)?.['batchItemFailures'] ?? []
  if (!Array.isArray(listed)) return ids
  const known = new Set(ids)
  const failed = new Set<string>()
  for (const item of listed) {
    const id = asRecord(item)?.['itemIdentifier']
    if (typeof id !== 'string' || !known.has(id)) return ids
    failed.add(id)
  }
  return [...failed]
}
