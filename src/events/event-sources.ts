import { type UnknownRecord, asRecord, asString } from '../core/record.ts'

/** One source of events: a row of the table. */
export interface EventSource {
  /** What messages call it. */
  readonly name: string
  /** The factory of its normalizer, if there is one. */
  readonly normalizer?: string
  /** Whether a tool makes its events in place of another source: messages do not list it among what is taken. */
  readonly isEmulated?: true
  /**
   * Whether an event is of this source. `context` is the event's request context, `record` its first record; either is
   * empty where there is none.
   */
  is(this: void, event: UnknownRecord, context: UnknownRecord, record: UnknownRecord): unknown
}

/** The event sources that speak HTTP. */
export type HttpSource = 'alb' | 'rest-api' | 'http-api' | 'function-url' | 'vpc-lattice' | 'node-http'

/** The kinds of events that the table tells apart. */
export type SourceKind =
  | HttpSource
  | 'normalized'
  | 'web-socket'
  | 'sam-api'
  | 'http-api-v1'
  | 'event-bridge'
  | 'aws:sqs'
  | 'aws:sns'
  | 'aws:s3'
  | 'aws:kinesis'
  | 'aws:dynamodb'
  | 'kafka'
  | 'firehose'
  | 'cloudwatch-logs'
  | OtherKind

/** Kinds of events that no normalizer of this package is for, but that have a name. */
export type OtherKind =
  | 'authorizer'
  | 'lambda-edge'
  | 'rabbit-mq'
  | 'active-mq'
  | 'document-db'
  | 's3-batch'
  | 's3-object-lambda'
  | 'cloudwatch-alarm'
  | 'secret-rotation'
  | 'cognito-trigger'
  | 'cognito-sync'
  | 'app-sync'
  | 'code-pipeline'
  | 'code-deploy'
  | 'cloud-formation'
  | 'config-rule'
  | 'connect'
  | 'lex'
  | 'alexa'
  | 'bedrock-agent'
  | 'iot-authorizer'
  | 'transfer-family'
  | 'lambda-destination'
  | 'durable-execution'

/**
 * Every source, one row each. The first row that knows an event names it.
 *
 * A pair of fields that only one source sends together tells the source. A single field does not: EventBridge, Cognito
 * and VPC Lattice send a `version`, too, and a direct payload may have a `version` or an `httpMethod`.
 */
export const eventSources: Readonly<Record<SourceKind, EventSource>> = {
  // This comes first: a request also has the fields of an event, for Middy's own middlewares.
  normalized: { name: 'normalized', is: (event) => event['lambdaContext'] && 'raw' in event },
  // These come early, because they are asked for once per batch, and no other event has their marks.
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
  'node-http': {
    name: "Node's HTTP server",
    normalizer: 'nodeHttp',
    // No payload of JSON has a function.
    is: ({ source, stream }) => source === 'node-http' && typeof stream === 'function',
  },
  'vpc-lattice': {
    name: 'VPC Lattice',
    normalizer: 'vpcLattice',
    is: (event, { serviceArn, serviceNetworkArn }) =>
      (serviceArn ?? serviceNetworkArn) || (event['raw_path'] && event['method']),
  },
  'web-socket': {
    name: 'WebSocket API',
    normalizer: 'webSocket',
    is: (_event, { connectionId, eventType }) => connectionId && eventType,
  },
  'sam-api': {
    name: 'REST API of SAM CLI',
    normalizer: 'restApi',
    isEmulated: true,
    // Until 2024 it called the events of both APIs 1.0. These two ids are in its source, for any API.
    // https://github.com/aws/aws-sam-cli/issues/6442
    is: (event, context) =>
      event['version'] === '1.0' && context['apiId'] === '1234567890' && context['resourceId'] === '123456',
  },
  'http-api-v1': {
    name: 'HTTP API 1.0',
    normalizer: 'httpApi',
    is: (event, context) => event['version'] === '1.0' && isPayloadV1(event, context),
  },
  'rest-api': { name: 'REST API', normalizer: 'restApi', is: isPayloadV1 },
  'event-bridge': {
    name: 'EventBridge',
    normalizer: 'eventBridge',
    is: (event) => event['detail-type'] && event['source'],
  },
  'lambda-edge': { name: 'Lambda@Edge', is: (_event, _context, { cf }) => asRecord(cf) },
  'aws:s3': {
    name: 'aws:s3',
    normalizer: 's3',
    // The message that S3 sends to try a new notification has no records.
    is: ({ Service: service, Event: name }, _context, { eventSource }) =>
      eventSource === 'aws:s3' || (service === 'Amazon S3' && name === 's3:TestEvent'),
  },
  'aws:kinesis': {
    name: 'aws:kinesis',
    normalizer: 'kinesis',
    is: (_event, _context, { eventSource }) => eventSource === 'aws:kinesis',
  },
  'aws:dynamodb': {
    name: 'aws:dynamodb',
    normalizer: 'dynamodbStream',
    is: (_event, _context, { eventSource }) => eventSource === 'aws:dynamodb',
  },
  kafka: {
    name: 'Kafka',
    normalizer: 'kafka',
    // A pipe of EventBridge sends the bare list of records.
    is: ({ eventSource, records }, _context, record) =>
      isKafka(record['eventSource']) || (isKafka(eventSource) && asRecord(records)),
  },
  'rabbit-mq': { name: 'RabbitMQ', is: ({ eventSource }) => eventSource === 'aws:rmq' },
  'active-mq': { name: 'ActiveMQ', is: ({ eventSource }) => eventSource === 'aws:mq' },
  'document-db': {
    name: 'DocumentDB',
    is: ({ eventSource, events }) => eventSource === 'aws:docdb' && Array.isArray(events),
  },
  firehose: {
    name: 'Firehose',
    normalizer: 'firehose',
    is: ({ deliveryStreamArn, records }) => asString(deliveryStreamArn) && Array.isArray(records),
  },
  's3-batch': {
    name: 'S3 Batch Operations',
    is: ({ tasks, job }) => Array.isArray(tasks) && asRecord(job),
  },
  's3-object-lambda': {
    name: 'S3 Object Lambda',
    is: (event) => asString(event['xAmzRequestId']) && asRecord(event['userRequest']),
  },
  'cloudwatch-logs': {
    name: 'CloudWatch Logs',
    normalizer: 'logs',
    is: ({ awslogs }) => asString(asRecord(awslogs)?.['data']),
  },
  'cloudwatch-alarm': {
    name: 'CloudWatch alarm',
    is: ({ source, alarmArn }) => source === 'aws.cloudwatch' && asString(alarmArn),
  },
  'secret-rotation': {
    name: 'Secrets Manager rotation',
    is: ({ SecretId: secret, Step: step, ClientRequestToken: token }) =>
      asString(secret) && asString(step) && asString(token),
  },
  'cognito-trigger': {
    name: 'Cognito trigger',
    is: ({ triggerSource, userPoolId }) => asString(triggerSource) && asString(userPoolId),
  },
  'cognito-sync': {
    name: 'Cognito Sync',
    is: ({ datasetRecords, identityPoolId }) => asRecord(datasetRecords) && asString(identityPoolId),
  },
  'app-sync': {
    name: 'AppSync',
    is: ({ info, arguments: given }) => asString(asRecord(info)?.['fieldName']) && asRecord(given),
  },
  'code-pipeline': { name: 'CodePipeline', is: (event) => asRecord(event['CodePipeline.job']) },
  'code-deploy': {
    name: 'CodeDeploy',
    is: (event) => asString(event['DeploymentId']) && asString(event['LifecycleEventHookExecutionId']),
  },
  'cloud-formation': {
    name: 'CloudFormation',
    is: ({ RequestType: type, ResponseURL: url, StackId: stack }) =>
      asString(type) && asString(url) && asString(stack),
  },
  'config-rule': {
    name: 'AWS Config',
    is: ({ invokingEvent, configRuleName }) => asString(invokingEvent) && asString(configRuleName),
  },
  connect: {
    name: 'Amazon Connect',
    is: ({ Name: name, Details: details }) =>
      name === 'ContactFlowEvent' && asRecord(asRecord(details)?.['ContactData']),
  },
  lex: {
    name: 'Lex',
    is: ({ bot, invocationSource, messageVersion }) =>
      asRecord(bot) && asString(invocationSource) && asString(messageVersion),
  },
  alexa: {
    name: 'Alexa',
    is: ({ version, session, request, context, header, payload }) =>
      (asString(version) &&
        asString(asRecord(request)?.['type']) &&
        asRecord(session ?? asRecord(context)?.['System'])) ||
      (asString(asRecord(header)?.['namespace'])?.startsWith('Alexa') && asRecord(payload)),
  },
  'bedrock-agent': {
    name: 'Bedrock agent',
    is: ({ agent, actionGroup, messageVersion }) =>
      asRecord(agent) && asString(actionGroup) && asString(messageVersion),
  },
  'iot-authorizer': {
    name: 'IoT authorizer',
    is: ({ protocolData, protocols }) => asRecord(protocolData) && Array.isArray(protocols),
  },
  'transfer-family': {
    name: 'Transfer Family',
    is: ({ serverId, username, sourceIp, serviceMetadata }) =>
      (asString(serverId) && asString(username) && asString(sourceIp)) ||
      asString(asRecord(asRecord(serviceMetadata)?.['executionDetails'])?.['workflowId']),
  },
  'lambda-destination': {
    name: 'Lambda destination',
    is: (event, { functionArn, condition }) =>
      asString(functionArn) && asString(condition) && 'requestPayload' in event,
  },
  'durable-execution': {
    name: 'durable execution',
    is: ({ DurableExecutionArn: arn, CheckpointToken: token }) => asString(arn) && asString(token),
  },
}

function isKafka(source: unknown): boolean {
  return source === 'aws:kafka' || source === 'SelfManagedKafka'
}

/** A part that an event does not have. */
export const absent: UnknownRecord = Object.freeze({})

function isPayloadV1({ httpMethod }: UnknownRecord, context: UnknownRecord): boolean {
  return context !== absent && typeof httpMethod === 'string'
}
