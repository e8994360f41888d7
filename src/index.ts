export type { AnyClient, AwsClient, ClientOption } from './aws/client.ts'
export type {
  Creates,
  DeleteOptions,
  Deletes,
  Finds,
  Patch,
  Queries,
  Transacts,
  UpdateOptions,
  Updates,
  TransactionOptions,
  WriteConditions,
} from './backends/capabilities.ts'
export { type MemoryOptions, MemoryBackend } from './backends/memory.ts'
export {
  type Column,
  type Index,
  type InputOf,
  type ItemOf,
  type Model,
  type ModelDefinition,
  model,
} from './backends/model.ts'
export { type BatchOutcome, outcomeOf } from './backends/outcome.ts'
export {
  type Alternative,
  type Equalities,
  type Explanation,
  type Operator,
  type Page,
  type PageOptions,
  Query,
} from './backends/query.ts'
export {
  type LightCall,
  type LightClient,
  type LightCredentials,
  type LightError,
  type LightMetadata,
  type LightOptions,
  type LightService,
  light,
} from './clients/light.ts'
export * from './errors/index.ts'
export { type CurrentInvocation, currentInvocation } from './invocation/current-invocation.ts'
export {
  type BackendOption,
  type Backends,
  type BackendsContext,
  type BackendsWithTransaction,
  backends,
} from './middleware/backends.ts'
export {
  type Environment,
  type EnvironmentContext,
  type EnvironmentOptions,
  environment,
} from './middleware/environment.ts'
export { type JsonBodyOptions, jsonBody } from './middleware/json-body.ts'
export { type ValidateSchemas, validate } from './middleware/validate.ts'
export { alb, albRequest, albResponse } from './normalizers/alb.ts'
export { type AnyHttpEvent, anyHttp, anyHttpRequest, anyHttpResponse } from './normalizers/any-http.ts'
export type { Authorizer } from './normalizers/http/authorizer.ts'
export {
  type Backoff,
  type BackoffOptions,
  exponentialBackoff,
  fibonacciBackoff,
  linearBackoff,
} from './normalizers/backoff.ts'
export {
  type DynamoDbStreamOptions,
  DynamoDbStreamRequest,
  dynamodbStream,
} from './normalizers/dynamodb-stream.ts'
export {
  type BatchHandler,
  type EachRecordOptions,
  type RecordBatch,
  type RecordChain,
  type RecordFunction,
  type RecordRequest,
  eachRecord,
} from './normalizers/each-record.ts'
export { EventBridgeRequest, type EventBridgeRequests, eventBridge } from './normalizers/event-bridge.ts'
export {
  type FirehoseEvent,
  type FirehoseOptions,
  type FirehoseRecord,
  FirehoseRequest,
  firehose,
} from './normalizers/firehose.ts'
export { type HttpApiEvent, httpApi, httpApiRequest, httpApiResponse } from './normalizers/http-api.ts'
export type { HttpNormalizerOptions } from './normalizers/http/normalizer.ts'
export type { RequestOutcome } from './normalizers/http/request-hook.ts'
export { HttpRequest, type HttpRequestOptions, type HttpSource } from './normalizers/http-request.ts'
export type { HttpResponseOptions } from './normalizers/http-response.ts'
export { InvocationRequest, invocation } from './normalizers/invocation.ts'
export { type KafkaOptions, type KafkaRecord, KafkaRequest, kafka } from './normalizers/kafka.ts'
export {
  type KinesisOptions,
  type KinesisPipeRecord,
  type KinesisRecord,
  KinesisRequest,
  kinesis,
} from './normalizers/kinesis.ts'
export { type LogRecord, LogsRequest, type LogsOptions, logs } from './normalizers/logs.ts'
export {
  type Cookie,
  HttpResponse,
  type Respond,
  type ResponseHeaders,
  type ResponseOptions,
  respond,
} from './normalizers/respond.ts'
export { restApi, restApiRequest, restApiResponse } from './normalizers/rest-api.ts'
export type { RecordBody } from './normalizers/records/body-request.ts'
export { type S3Object, type S3Options, S3Request, s3 } from './normalizers/s3.ts'
export { type SnsOptions, SnsRequest, sns } from './normalizers/sns.ts'
export { type SqsAttributeValue, type SqsBody, SqsRequest } from './normalizers/sqs-request.ts'
export type { PayloadPointer } from './normalizers/records/payload-pointer.ts'
export type { WrappedMessage as Envelope } from './normalizers/records/unwrap.ts'
export type { Unwrap, UnwrapSource } from './normalizers/records/sqs-reading.ts'
export type { UnwrappedAs, UnwrappedRequests } from './normalizers/records/unwrapped-as.ts'
export { SqsBatch, type SqsBatchOptions, sqsBatch } from './normalizers/sqs-batch.ts'
export { type SqsOptions, sqs, sqsResponse } from './normalizers/sqs.ts'
export {
  type NodeHttpEvent,
  type NodeHttpResult,
  nodeHttp,
  nodeHttpRequest,
  nodeHttpResponse,
} from './normalizers/node-http.ts'
export {
  type VpcLatticeEvent,
  type VpcLatticeEventV1,
  type VpcLatticeEventV2,
  type VpcLatticeResult,
  vpcLattice,
  vpcLatticeRequest,
  vpcLatticeResponse,
} from './normalizers/vpc-lattice.ts'
export {
  type WebSocketEvent,
  type WebSocketOptions,
  WebSocketRequest,
  type WebSocketResult,
  webSocket,
  webSocketRequest,
  webSocketResponse,
} from './normalizers/web-socket.ts'
export type { ContextOf, Logger, Middleware } from './types.ts'
