import { isRecord, textOf, variable } from './record.ts'
import type { ServiceWire } from './services.ts'

/** The version stands in the package, too; a test compares them. */
const userAgent = `clearskies-middy/0.1.0 node/${process.versions.node}`

/** The headers that proxies may change, or that tell the way of a request: they are not signed. */
export function unsignedHeaders({ name }: ServiceWire, body: string): Record<string, string> {
  return {
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': userAgent + applicationId(),
    ...(name === 'sqs' && { 'x-amzn-query-mode': 'true' }),
    ...traceHeaders(),
  }
}

/** What the user calls the application, so that logs of AWS tell whose requests these are. */
function applicationId(): string {
  const id = variable('AWS_SDK_UA_APP_ID')
  return id === undefined ? '' : ` app/${id.replaceAll(/[^\w!#$%&'*+.^`|~-]/g, '-')}`
}

/**
 * The trace that the invocation belongs to: X-Ray, OpenTelemetry and the detection of recursion hang on it. Where a
 * process works several invocations at once, Lambda's own store tells which.
 */
function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {}
  const add = (name: string, value: string | undefined): boolean => {
    const isText = value !== undefined && /^[\x20-\x7e]+$/.test(value)
    if (isText) headers[name] = value
    return isText
  }
  if (variable('AWS_LAMBDA_FUNCTION_NAME') !== undefined)
    add('x-amzn-trace-id', ofStore('getXRayTraceId') ?? variable('_X_AMZN_TRACE_ID'))
  if (add('traceparent', ofStore('getTraceparent'))) {
    add('tracestate', ofStore('getTracestate'))
    add('baggage', ofStore('getBaggage'))
  }
  return headers
}

/** https://github.com/awslabs/aws-lambda-invoke-store */
function ofStore(getter: string): string | undefined {
  const { awslambda }: { awslambda?: unknown } = globalThis
  const store = isRecord(awslambda) ? awslambda['InvokeStore'] : undefined
  if (typeof store !== 'function' && !isRecord(store)) return undefined
  const read: unknown = Reflect.get(store, getter)
  return typeof read === 'function' ? textOf(read.call(store)) : undefined
}
