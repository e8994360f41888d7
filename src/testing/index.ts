export { type AlbEventOptions, albEvent } from './alb-event.ts'
export type { DescribedRequest } from './described-request.ts'
export {
  type DescribedChange,
  type DynamoDbStreamEventOptions,
  dynamodbStreamEvent,
} from './dynamodb-stream-event.ts'
export { dynamodbStreamPoller } from './dynamodb-stream-poller.ts'
export {
  type DescribedEvent,
  type ScheduledEventOptions,
  eventBridgeEvent,
  scheduledEvent,
} from './event-bridge-event.ts'
export { type DescribedFirehoseRecord, type FirehoseEventOptions, firehoseEvent } from './firehose-event.ts'
export type { GatewaySource } from './gateway-result.ts'
export { type Gateway, type GatewayInvocation, type GatewayOptions, gateway } from './gateway.ts'
export {
  type FunctionUrlEventOptions,
  type HttpApiEventOptions,
  functionUrlEvent,
  httpApiEvent,
  httpApiV1Event,
} from './http-api-event.ts'
export { type AnyHandler, invoke } from './invoke.ts'
export {
  type DescribedKafkaRecord,
  type KafkaEvent,
  type KafkaEventOptions,
  kafkaEvent,
} from './kafka-event.ts'
export { type DescribedKinesisRecord, type KinesisEventOptions, kinesisEvent } from './kinesis-event.ts'
export { kinesisPoller } from './kinesis-poller.ts'
export { type LambdaContextOptions, lambdaContext } from './lambda-context.ts'
export { type DescribedLine, type LogsEventOptions, logsEvent } from './logs-event.ts'
export { type MemorySecretsOptions, memorySecrets } from './memory-secrets.ts'
export { poll } from './poll.ts'
export { type SnsPollOptions, pollSns } from './poll-sns.ts'
export type { PollInvocation, PollOptions, Poller } from './queue-poller.ts'
export { type RestApiEventOptions, restApiEvent } from './rest-api-event.ts'
export { type DescribedObject, s3Event } from './s3-event.ts'
export { type PublishedMessage, type SnsEventOptions, snsEvent } from './sns-event.ts'
export { type DescribedMessage, type SqsEventOptions, sqsEvent } from './sqs-event.ts'
export type { StreamInvocation, StreamPoller, StreamPollerOptions } from './stream-poller.ts'
export { streamingRuntime } from './streaming-runtime.ts'
export { type VpcLatticeEventOptions, vpcLatticeEvent } from './vpc-lattice-event.ts'
export { type WebSocketEventOptions, webSocketEvent } from './web-socket-event.ts'
export {
  type WebSocketGateway,
  type WebSocketGatewayOptions,
  webSocketGateway,
} from './web-socket-gateway.ts'
