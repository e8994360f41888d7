import { type UnknownRecord, asRecord, asString } from '../core/record.ts'

/** One source of events: a row of the table. */
export interface EventSource {
  /** What messages call it. */
  readonly name: string
  /** The factory of its normalizer, if there is one. */
  readonly normalizer?: string
  /**
   * Whether an event is of this source. `context` is the event's request context, `record` its first record; either is
   * empty where there is none.
   */
  is(event: UnknownRecord, context: UnknownRecord, record: UnknownRecord): unknown
}

/** The event sources that speak HTTP. */
export type HttpSource = 'alb' | 'rest-api' | 'http-api' | 'function-url' | 'vpc-lattice'

/** The kinds of events that the table tells apart. */
export type SourceKind =
  | HttpSource
  | 'normalized'
  | 'authorizer'
  | 'web-socket'
  | 'http-api-v1'
  | 'event-bridge'
  | 'lambda-edge'
  | 'aws:sqs'
  | 'aws:sns'

/**
 * Every source, one row each. The first row that knows an event names it.
 *
 * A pair of fields that only one source sends together tells the source. A single field does not: EventBridge, Cognito
 * and VPC Lattice send a `version`, too, and a direct payload may have a `version` or an `httpMethod`.
 */
export const eventSources: Readonly<Record<SourceKind, EventSource>> = {
  // This comes first: a request also has the fields of an event, for Middy's own middlewares.
  normalized: { name: 'normalized', is: (event) => event['lambdaContext'] && 'raw' in event },
  alb: { name: 'ALB', normalizer: 'alb', is: (_event, { elb }) => asRecord(elb) },
  // This comes before the APIs: the event has the request context of the API that asks.
  authorizer: {
    name: 'authorizer',
    is: ({ type, methodArn, routeArn }) =>
      (type === 'REQUEST' || type === 'TOKEN') && (methodArn ?? routeArn),
  },
  'function-url': {
    name: 'function URL',
    normalizer: 'httpApi',
    is: (_event, { http, domainName }) => asRecord(http) && asString(domainName)?.includes('.lambda-url.'),
  },
  'http-api': { name: 'HTTP API', normalizer: 'httpApi', is: (_event, { http }) => asRecord(http) },
  'vpc-lattice': {
    name: 'VPC Lattice',
    normalizer: 'vpcLattice',
    is: (event, { serviceArn, serviceNetworkArn }) =>
      (serviceArn ?? serviceNetworkArn) || (event['raw_path'] && event['method']),
  },
  'web-socket': {
    name: 'WebSocket API',
    is: (_event, { connectionId, eventType }) => connectionId && eventType,
  },
  'http-api-v1': {
    name: 'HTTP API 1.0',
    normalizer: 'httpApi',
    is: (event, context) => event['version'] === '1.0' && isPayloadV1(event, context),
  },
  'rest-api': { name: 'REST API', normalizer: 'restApi', is: isPayloadV1 },
  'event-bridge': { name: 'EventBridge', is: (event) => event['detail-type'] && event['source'] },
  'lambda-edge': { name: 'Lambda@Edge', is: (_event, _context, { cf }) => asRecord(cf) },
  'aws:sqs': {
    name: 'aws:sqs',
    normalizer: 'sqs',
    // A batch without records names no source.
    is: ({ Records: records }, _context, { eventSource }) =>
      eventSource === 'aws:sqs' || (Array.isArray(records) && records.length === 0),
  },
  'aws:sns': {
    name: 'aws:sns',
    normalizer: 'sns',
    is: (_event, _context, { EventSource: source }) => source === 'aws:sns',
  },
}

/** A part that an event does not have. */
export const absent: UnknownRecord = Object.freeze({})

function isPayloadV1({ httpMethod }: UnknownRecord, context: UnknownRecord): boolean {
  return context !== absent && typeof httpMethod === 'string'
}
