/** What a Lambda event is, as far as its shape tells. */
export type EventKind =
  | 'alb'
  | 'rest-api'
  | 'http-api'
  | 'http-api-1.0'
  | 'function-url'
  | 'sqs'
  | 'websocket'
  | 'vpc-lattice'
  | 'authorizer'
  | 'lambda-edge'
  | 'eventbridge'
  | 'records'
  | 'normalized'
  | 'direct'

const names: Readonly<Record<EventKind, string>> = {
  alb: 'an Application Load Balancer event',
  'rest-api': 'a REST API event',
  'http-api': 'an HTTP API event (payload 2.0)',
  'http-api-1.0': 'an HTTP API event (payload 1.0)',
  'function-url': 'a function URL event',
  sqs: 'an SQS event',
  websocket: 'a WebSocket API event',
  'vpc-lattice': 'a VPC Lattice event',
  authorizer: 'an API Gateway authorizer event',
  'lambda-edge': 'a Lambda@Edge event',
  eventbridge: 'an EventBridge event',
  records: 'an event with records of another source than SQS',
  normalized: 'a request that another normalizer has already made',
  direct: 'the payload of a direct invocation',
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Tells events apart by pairs of fields that only their source sends together. `version` alone proves nothing
 * (EventBridge, Cognito and VPC Lattice have one, too), nor does a lone `httpMethod`: a direct payload may hold either.
 */
export function eventKind(event: unknown): EventKind {
  if (!isFields(event)) return 'direct'
  if (
    (event['kind'] === 'http' || event['kind'] === 'sqs-batch' || event['kind'] === 'invocation') &&
    'raw' in event &&
    'lambdaContext' in event
  )
    return 'normalized'
  const context = event['requestContext']
  if (isFields(context)) {
    if (isFields(context['elb'])) return 'alb'
    if (isAuthorizer(event)) return 'authorizer'
    if (isFields(context['http'])) return isFunctionUrl(context) ? 'function-url' : 'http-api'
    if (typeof context['serviceArn'] === 'string' || typeof context['serviceNetworkArn'] === 'string')
      return 'vpc-lattice'
    if (typeof context['connectionId'] === 'string' && typeof context['eventType'] === 'string')
      return 'websocket'
    if (typeof event['httpMethod'] === 'string')
      return event['version'] === '1.0' ? 'http-api-1.0' : 'rest-api'
  }
  if (isAuthorizer(event)) return 'authorizer'
  if (typeof event['raw_path'] === 'string' && typeof event['method'] === 'string') return 'vpc-lattice'
  if (typeof event['detail-type'] === 'string' && typeof event['source'] === 'string') return 'eventbridge'
  const records = event['Records']
  if (Array.isArray(records)) {
    const [first] = records as unknown[]
    if (first === undefined) return 'sqs'
    if (!isFields(first)) return 'direct'
    if (isFields(first['cf'])) return 'lambda-edge'
    if (first['eventSource'] === 'aws:sqs') return 'sqs'
    if (typeof first['eventSource'] === 'string' || typeof first['EventSource'] === 'string') return 'records'
  }
  return 'direct'
}

function isAuthorizer({ type, methodArn, routeArn }: Fields): boolean {
  return (
    (type === 'REQUEST' || type === 'TOKEN') &&
    (typeof methodArn === 'string' || typeof routeArn === 'string')
  )
}

function isFunctionUrl({ domainName }: Fields): boolean {
  return typeof domainName === 'string' && /\.lambda-url\.[a-z0-9-]+\.on\.aws$/i.test(domainName)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** An event in words, for an error. */
export function describeEvent(event: unknown): string {
  const kind = eventKind(event)
  if (kind !== 'direct') return names[kind]
  if (event === null) return 'null'
  if (Array.isArray(event)) return 'an array'
  if (typeof event !== 'object') return `a ${typeof event}`
  const keys = Object.keys(event)
  return keys.length === 0
    ? 'an empty object'
    : `an object with ${keys
        .slice(0, 5)
        .map((key) => `"${key.slice(0, 30)}"`)
        .join(', ')}`
}
