import type { OtherKind } from './event-sources.ts'

/** What a function has to do with an event that no normalizer is for. */
export const tasks: Readonly<Record<OtherKind, string>> = {
  'rabbit-mq': 'return when all of its messages are done, and throw to get all again',
  'active-mq': 'return when all of its messages are done, and throw to get all again',
  'document-db': 'return when all of its changes are done, and throw to get all again',
  's3-batch': 'return { invocationSchemaVersion, treatMissingKeysAs, invocationId, results }',
  's3-object-lambda': 'call WriteGetObjectResponse',
  'cloudwatch-alarm': 'return, or throw to be called again',
  'secret-rotation': 'do the step that the event names, or nothing where it is done',
  'cognito-trigger': 'return the event itself, with its response filled in',
  'cognito-sync': 'return the event itself',
  'app-sync': 'return the value of the field, or a list of values for a list of events',
  'code-pipeline': 'call PutJobSuccessResult or PutJobFailureResult',
  'code-deploy': 'call PutLifecycleEventHookExecutionStatus',
  'cloud-formation': 'send the result to the ResponseURL',
  'config-rule': 'call PutEvaluations',
  connect: 'return a flat object of texts',
  lex: 'return a sessionState',
  alexa: 'return the response of the skill',
  'bedrock-agent': 'return { messageVersion, response }',
  'iot-authorizer': 'return { isAuthenticated, principalId, policyDocuments }',
  'transfer-family': 'return the user, or the state of the workflow step',
  'lambda-destination': 'return, or throw to be called again',
  'durable-execution': 'wrap the function in withDurableExecution',
  authorizer: 'return a policy, or { isAuthorized }',
  'lambda-edge': 'return the request or a response of CloudFront',
}
