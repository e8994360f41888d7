import { asRecord, asString } from '../core/record.ts'
import { ScopeSlot } from './scope-slot.ts'
import { currentScope, recordScope } from './scope.ts'

/** The X-Ray trace that a record of SQS belongs to. */
export function traceOf(record: unknown): string | undefined {
  return traceText(asRecord(asRecord(record)?.['attributes'])?.['AWSTraceHeader'])
}

/**
 * The X-Ray trace that the calling code belongs to: that of the record that it works, else that of the invocation, which
 * Lambda puts into the environment.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function traceHeader(): string | undefined {
  return traceOf(asRecord(recordScope()?.event)?.['record']) ?? environmentTrace()
}

interface Trace {
  readonly header: string | undefined
}

const traces = new ScopeSlot<Trace>()

/** Reading a variable takes half a microsecond: an invocation reads it once. */
function environmentTrace(): string | undefined {
  const known = traces.get()
  if (known !== undefined) return known.header
  const header = traceText(process.env['_X_AMZN_TRACE_ID'])
  const scope = currentScope()
  if (scope !== undefined) traces.set(scope, { header })
  return header
}

/** SQS refuses a header of another form. */
function traceText(header: unknown): string | undefined {
  const text = asString(header)
  return text?.includes('Root=') ? text : undefined
}
