/**
 * What a Lambda event is, in words: `ALB`, `REST API`, `aws:sqs` (the `eventSource` of records), …
 *
 * Events are told apart by pairs of fields that only their source sends together. `version` alone proves nothing
 * (EventBridge, Cognito and VPC Lattice have one, too), nor does a lone `httpMethod`: a direct payload may hold either.
 */
export function eventKind(payload: unknown): string {
  const event = asRecord(payload)
  if (event === undefined) return payload === null ? 'null' : typeof payload
  // First, because a request has the fields of an event, too, for Middy's own middlewares.
  if (event['lambdaContext'] && 'raw' in event) return 'normalized'
  const context = asRecord(event['requestContext'])
  if (context !== undefined) {
    if (asRecord(context['elb'])) return 'ALB'
    if (isAuthorizer(event)) return 'authorizer'
    if (asRecord(context['http'])) return isFunctionUrl(context['domainName']) ? 'function URL' : 'HTTP API'
    if (context['serviceArn'] ?? context['serviceNetworkArn']) return 'VPC Lattice'
    if (context['connectionId'] && context['eventType']) return 'WebSocket API'
    if (typeof event['httpMethod'] === 'string')
      return event['version'] === '1.0' ? 'HTTP API 1.0' : 'REST API'
  }
  if (isAuthorizer(event)) return 'authorizer'
  if (event['raw_path'] && event['method']) return 'VPC Lattice'
  if (event['detail-type'] && event['source']) return 'EventBridge'
  const { Records: records } = event
  if (Array.isArray(records)) {
    const first = asRecord(records[0])
    if (first === undefined) return records.length === 0 ? 'aws:sqs' : 'direct'
    if (asRecord(first['cf'])) return 'Lambda@Edge'
    const source = first['eventSource'] ?? first['EventSource']
    if (typeof source === 'string') return source
  }
  return 'direct'
}

function isAuthorizer({ type, methodArn, routeArn }: UnknownRecord): boolean {
  return (type === 'REQUEST' || type === 'TOKEN') && Boolean(methodArn ?? routeArn)
}

function isFunctionUrl(domainName: unknown): boolean {
  return typeof domainName === 'string' && domainName.includes('.lambda-url.')
}
import { type UnknownRecord, asRecord } from '../core/record.ts'
