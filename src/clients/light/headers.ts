import { isRecord, textOf, variable } from './record.ts'
import type { ServiceWire } from './services.ts'

/** The version stands in the package, too; a test compares them. */
const userAgent = `clearskies-middy/0.1.0 node/${process.versions.node}`

/** The headers that proxies may change, or that tell the way of a request: they are not signed. */
export function unsignedHeaders({ name }: ServiceWire, body: string): Record<string, string> {
  const trace = tracedHeader()
  return {
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': userAgent,
    ...(name === 'sqs' && { 'x-amzn-query-mode': 'true' }),
    ...(trace !== undefined && { 'x-amzn-trace-id': trace }),
  }
}

/**
 * The trace that the invocation belongs to: X-Ray and the detection of recursion hang on it. Where a process works several
 * invocations at once, Lambda's own store tells which.
 */
function tracedHeader(): string | undefined {
  if (variable('AWS_LAMBDA_FUNCTION_NAME') === undefined) return undefined
  const trace = traceOfStore() ?? variable('_X_AMZN_TRACE_ID')
  return trace !== undefined && /^[\x20-\x7e]+$/.test(trace) ? trace : undefined
}

/** https://github.com/awslabs/aws-lambda-invoke-store */
function traceOfStore(): string | undefined {
  const { awslambda }: { awslambda?: unknown } = globalThis
  const store = isRecord(awslambda) ? awslambda['InvokeStore'] : undefined
  const holder = typeof store === 'function' || isRecord(store) ? store : undefined
  if (holder === undefined || !('getXRayTraceId' in holder)) return undefined
  const { getXRayTraceId: read } = holder
  return typeof read === 'function' ? textOf(read.call(holder)) : undefined
}
