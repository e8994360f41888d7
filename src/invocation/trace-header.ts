import { asRecord, asString } from '../core/record.ts'
import { recordScope } from './scope.ts'

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
  return traceOf(asRecord(recordScope()?.event)?.['record']) ?? traceText(process.env['_X_AMZN_TRACE_ID'])
}

/** SQS refuses a header of another form. */
function traceText(header: unknown): string | undefined {
  const text = asString(header)
  return text?.includes('Root=') ? text : undefined
}
