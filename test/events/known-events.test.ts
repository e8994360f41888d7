import middy from '@middy/core'
import {
  InvalidEventError,
  alb,
  anyHttp,
  httpApi,
  invocation,
  restApi,
  sqs,
  validate,
} from 'clearskies-middy'
import { invoke } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type OtherKind, eventSources } from '../../src/events/event-sources.ts'
import { tasks } from '../../src/events/tasks.ts'

const arn = 'arn:aws:x:eu-central-1:123456789012:y'

/** One event of each source as AWS documents it, shortened to the fields that tell it. */
const known: readonly (readonly [name: string, event: object])[] = [
  ['Kafka', { eventSource: 'aws:kafka', eventSourceArn: arn, bootstrapServers: 'b', records: { 't-0': [] } }],
  ['Kafka', { eventSource: 'SelfManagedKafka', bootstrapServers: 'b', records: { 't-0': [{ topic: 't' }] } }],
  ['RabbitMQ', { eventSource: 'aws:rmq', eventSourceArn: arn, rmqMessagesByQueue: { 'q::/': [] } }],
  ['ActiveMQ', { eventSource: 'aws:mq', eventSourceArn: arn, messages: [{ messageID: 'x' }] }],
  ['DocumentDB', { eventSource: 'aws:docdb', eventSourceArn: arn, events: [{ event: {} }] }],
  ['Firehose', { invocationId: 'i', deliveryStreamArn: arn, region: 'eu-central-1', records: [] }],
  [
    'S3 Batch Operations',
    { invocationSchemaVersion: '1.0', invocationId: 'i', job: { id: 'j' }, tasks: [{}] },
  ],
  ['S3 Object Lambda', { xAmzRequestId: 'x', getObjectContext: {}, configuration: {}, userRequest: {} }],
  ['CloudWatch Logs', { awslogs: { data: 'H4sI' } }],
  ['CloudWatch alarm', { source: 'aws.cloudwatch', alarmArn: arn, time: 'x', region: 'x', alarmData: {} }],
  ['Secrets Manager rotation', { SecretId: arn, Step: 'createSecret', ClientRequestToken: 'x' }],
  ['Cognito trigger', { version: '1', triggerSource: 'PreSignUp_SignUp', userPoolId: 'x', request: {} }],
  ['Cognito Sync', { version: 2, eventType: 'SyncTrigger', identityPoolId: 'x', datasetRecords: {} }],
  [
    'AppSync',
    { arguments: {}, identity: null, info: { fieldName: 'x', parentTypeName: 'Query' }, source: null },
  ],
  ['CodePipeline', { 'CodePipeline.job': { id: 'x', accountId: '1', data: {} } }],
  ['CodeDeploy', { DeploymentId: 'd-1', LifecycleEventHookExecutionId: 'x' }],
  ['CloudFormation', { RequestType: 'Create', ResponseURL: 'https://x', StackId: arn, RequestId: 'x' }],
  ['AWS Config', { invokingEvent: '{}', configRuleName: 'x', configRuleArn: arn, resultToken: 'x' }],
  ['Amazon Connect', { Name: 'ContactFlowEvent', Details: { ContactData: {}, Parameters: {} } }],
  [
    'Lex',
    { messageVersion: '1.0', invocationSource: 'DialogCodeHook', bot: { name: 'x' }, sessionState: {} },
  ],
  ['Alexa', { version: '1.0', session: {}, context: {}, request: { type: 'LaunchRequest' } }],
  ['Alexa', { header: { namespace: 'Alexa.ConnectedHome.Discovery', name: 'x' }, payload: {} }],
  ['Bedrock agent', { messageVersion: '1.0', agent: { name: 'x' }, actionGroup: 'x', apiPath: '/' }],
  ['IoT authorizer', { token: 'x', protocols: ['mqtt'], protocolData: { mqtt: {} } }],
  ['Transfer Family', { username: 'x', serverId: 's-1', protocol: 'SFTP', sourceIp: '1.2.3.4' }],
  [
    'Lambda destination',
    { version: '1.0', requestContext: { functionArn: arn, condition: 'Success' }, requestPayload: {} },
  ],
  ['durable execution', { DurableExecutionArn: arn, CheckpointToken: 'x', InitialExecutionState: {} }],
  ['EventBridge', { version: '0', id: 'x', 'detail-type': 'x', source: 'aws.ec2', detail: {} }],
  ['aws:s3', { Records: [{ eventSource: 'aws:s3', s3: {} }] }],
  ['aws:kinesis', { Records: [{ eventSource: 'aws:kinesis', kinesis: {} }] }],
  ['aws:dynamodb', { Records: [{ eventSource: 'aws:dynamodb', dynamodb: {} }] }],
  ['aws:ses', { Records: [{ eventSource: 'aws:ses', ses: {} }] }],
  ['aws:codecommit', { Records: [{ eventSource: 'aws:codecommit', codecommit: {} }] }],
]

async function refusal(make: () => unknown, event: unknown): Promise<InvalidEventError> {
  const handler = middy().use(make() as middy.MiddlewareObj)
  const error = await invoke(handler, event).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(InvalidEventError)
  return error as InvalidEventError
}

describe.each(known)('an event of %s', (name, event) => {
  it('H31: is refused by its name', async () => {
    for (const make of [alb, restApi, httpApi, anyHttp, sqs]) {
      const { seen, message } = await refusal(make, event)
      expect([seen, message]).toEqual([name, expect.stringContaining(`got "${name}"`)])
    }
  })

  it('H32, E1: comes with the normalizer that takes it, or with what to do where there is none', async () => {
    const { message } = await refusal(anyHttp, event)
    expect(message).toMatch(
      /: (?:no normalizer is for it: use none, and \w|use the normalizer of that source, \w+\(\), and)/,
    )
    expect(message).not.toContain('invocation()')
    const handler = middy().use(validate({ data: z.unknown() }) as middy.MiddlewareObj)
    await expect(invoke(handler, event)).rejects.toThrow(/put \.use\(\w+\(\)\) in front$/)
  })

  it('H31: is the data of invocation()', async () => {
    const handler = middy()
      .use(invocation())
      .handler(({ data }) => data)
    expect(await invoke(handler, event)).toEqual(event)
  })
})

it.each([
  [{ records: [1] }],
  [{ Step: 'one' }],
  [{ version: '0' }],
  [{ messages: [] }],
  [{ eventSource: 'shop' }],
  [{ eventSource: 'aws:kafka' }],
  [{ tasks: [] }],
  [{ job: {} }],
  [{ awslogs: 'x' }],
  [{ triggerSource: 'x' }],
  [{ userPoolId: 'x' }],
  [{ info: { fieldName: 'x' } }],
  [{ arguments: {} }],
  [{ deliveryStreamArn: arn }],
  [{ SecretId: 'x', Step: 'y' }],
  [{ DurableExecutionArn: arn }],
  [{ CheckpointToken: 'x' }],
  [{ request: { type: 'x' }, session: {} }],
  [{ bot: {}, messageVersion: '1' }],
  [{ header: {}, payload: {} }],
  [{ username: 'x', serverId: 'y' }],
  [{ agent: {}, actionGroup: 'x' }],
])('H31: a payload that somebody made up is direct: %j', async (event) => {
  const { seen, message } = await refusal(anyHttp, event)
  expect([seen, message]).toEqual(['direct', expect.stringContaining('invocation()')])
})

it('a source that has a normalizer is no OtherKind any more', () => {
  const kinds = Object.keys(tasks) as OtherKind[]
  expect(kinds.filter((kind) => eventSources[kind].normalizer !== undefined)).toEqual([])
})
