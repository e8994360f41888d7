import { asRecord, asString } from '../core/record.ts'

/** Lambda's id of the invocation that a context is of. */
export function requestIdOf(context: object): string | undefined {
  const { awsRequestId, lambdaContext } = asRecord(context)
  // A durable execution keeps Lambda's context one level deeper.
  return asString(awsRequestId) ?? asString(asRecord(lambdaContext)?.['awsRequestId'])
}
