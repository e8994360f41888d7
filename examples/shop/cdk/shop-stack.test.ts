import { App } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { streamingRuntime } from '../../../src/testing/index.ts'
import { ShopStack } from './shop-stack.ts'
import {
  functionOf,
  handlers,
  idOf,
  names,
  permissionsOf,
  propertiesOf,
  readable,
  resources,
  statementsOf,
  template,
} from './shop-template.ts'

const products = idOf('AWS::DynamoDB::GlobalTable', 'Products')
const listeners = `<${idOf('AWS::DynamoDB::GlobalTable', 'NewsListeners')}.Arn>`
const failures = idOf('AWS::SQS::Queue', 'NewsFailures')
const table = `<${products}.Arn>`
const queue = `<${idOf('AWS::SQS::Queue', 'Orders')}.Arn>`
const prefix = (service: string): string => `arn:<Partition>:${service}:<Region>:<AccountId>:`
const bus = `<${idOf('AWS::Events::EventBus')}.Arn>`
const tell = `events:PutEvents on ${bus}`
const putAside = `sqs:SendMessage on <${failures}.Arn>`
const connect = `rds-db:connect on ${prefix('rds-db')}dbuser:<${idOf('AWS::RDS::DBInstance')}.DbiResourceId>/shop`
const readParameter = `ssm:GetParameters on ${prefix('ssm')}parameter/shop/signing-key`
const serving = [
  `dynamodb:DeleteItem on ${table}`,
  `dynamodb:GetItem on ${table}`,
  `dynamodb:PutItem on ${table}`,
  `dynamodb:Query on ${table}`,
  `dynamodb:Query on ${table}/index/byGenre`,
  `dynamodb:UpdateItem on ${table}`,
  connect,
  `sqs:SendMessage on ${queue}`,
  readParameter,
].sort()

describe('permissions', () => {
  it.each([
    ['BehindAlb', serving],
    ['BehindRestApi', serving],
    ['BehindHttpApi', serving],
    ['CreateProduct', [`dynamodb:PutItem on ${table}`]],
    ['Streams', [`dynamodb:Query on ${table}`, connect]],
    [
      'Worker',
      [
        connect,
        tell,
        readParameter,
        `sqs:DeleteMessage on ${queue}`,
        `sqs:GetQueueAttributes on ${queue}`,
        `sqs:ReceiveMessage on ${queue}`,
      ].sort(),
    ],
    [
      'Projector',
      [
        ...['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
          (action) => `dynamodb:${action} on <${products}.StreamArn>`,
        ),
        tell,
        connect,
        putAside,
      ].sort(),
    ],
    ['Nightly', [tell, connect, putAside].sort()],
    ['Live', [`dynamodb:DeleteItem on ${listeners}`, `dynamodb:PutItem on ${listeners}`]],
    [
      'Teller',
      [
        `dynamodb:DeleteItem on ${listeners}`,
        `dynamodb:Query on ${listeners}`,
        `execute-api:ManageConnections on ${prefix('execute-api')}<${idOf('AWS::ApiGatewayV2::Api', 'NewsApi')}>/live/POST/@connections/*`,
        putAside,
      ].sort(),
    ],
  ] as const)('%s may do exactly what it does', (name, expected) => {
    expect(permissionsOf(name)).toEqual(expected)
  })

  it('no action and no resource is a wildcard', () => {
    const statements = statementsOf(resources('AWS::IAM::Policy'))
    expect(statements.length).toBeGreaterThan(10)
    for (const { Effect, Action, Resource } of statements) {
      expect(Effect).toBe('Allow')
      // Nobody knows the id of a connection before it is there.
      const asked = JSON.stringify([Action, Resource]).replace('/live/POST/@connections/*', '')
      expect(asked).not.toContain('*')
    }
  })

  it('roles have no managed policies beside those for the log and the VPC', () => {
    const policies = resources('AWS::IAM::Role').flatMap(([, { Properties }]) =>
      (Properties['ManagedPolicyArns'] as unknown[]).map(readable),
    )
    expect([...new Set(policies)]).toEqual([
      'arn:<Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole',
      'arn:<Partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole',
    ])
  })
})

describe('the functions', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'shop-cdk-'))
  afterAll(() => rmSync(outdir, { recursive: true }))
  const app = new App({ outdir, analyticsReporting: false })
  new ShopStack(app, 'Shop')
  app.synth()
  streamingRuntime()
  const bundles = globSync('asset.*/index.js', { cwd: outdir })

  it('share one bundle', () => {
    expect(bundles.length).toBe(1)
  })

  it.each(names)('%s has an export of the bundle for a handler', (name) => {
    const [bundle = ''] = bundles
    const exported = createRequire(import.meta.url)(join(outdir, bundle)) as Record<string, unknown>
    expect(exported[handlers[name]]).toBeTypeOf('function')
  })

  const inside = names.filter((name) => name !== 'Live' && name !== 'Teller')
  it.each(inside)('%s knows the table, the queue, the bus and the database', (name) => {
    const properties = propertiesOf(name)
    const { Variables } = properties['Environment'] as { Variables: Record<string, unknown> }
    const texts = Object.entries(Variables).map(([key, value]) => [key, readable(value)])
    const database = idOf('AWS::RDS::DBInstance')
    expect(Object.fromEntries(texts)).toMatchObject({
      EVENT_BUS_NAME: `<${idOf('AWS::Events::EventBus')}>`,
      PRODUCTS_TABLE: `<${products}>`,
      ORDERS_QUEUE_URL: `<${idOf('AWS::SQS::Queue', 'Orders')}>`,
      db_endpoint: `<${database}.Endpoint.Address>`,
      db_port: `<${database}.Endpoint.Port>`,
      db_username: 'shop',
      db_database: 'shop',
    })
    expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Timeout: 29 })
  })
})

describe('the function URL that streams', () => {
  it('takes a response as it is produced, and every page knows its address', () => {
    template.hasResourceProperties('AWS::Lambda::Url', {
      AuthType: 'NONE',
      InvokeMode: 'RESPONSE_STREAM',
      TargetFunctionArn: { 'Fn::GetAtt': [functionOf('Streams'), 'Arn'] },
    })
    for (const name of ['BehindAlb', 'BehindRestApi', 'BehindHttpApi'] as const) {
      const { Variables } = propertiesOf(name)['Environment'] as { Variables: Record<string, unknown> }
      expect(readable(Variables['STREAMS_URL'])).toMatch(/^<StreamsFunctionUrl\w*\.FunctionUrl>$/)
    }
  })
})

describe('the REST API', () => {
  it('streams the export and the live orders, and takes all else whole', () => {
    const methods = resources('AWS::ApiGateway::Method').map(([, { Properties }]) => {
      const { ResourceId, HttpMethod, Integration } = Properties
      const { ResponseTransferMode, Uri } = Integration as Record<string, unknown>
      const [, place = '/'] = /RestApi(\w*?)[\dA-F]{8}/.exec(readable(ResourceId)) ?? []
      const [, target] = /functions\/<(\w+?)[\dA-F]{8}\.Arn>(\/.*)$/.exec(readable(Uri)) ?? []
      return [String(HttpMethod), place, ResponseTransferMode, target, readable(Uri).split('/').at(-1)]
    })
    const streamed = 'response-streaming-invocations'
    expect(methods.toSorted()).toEqual([
      ['ANY', '', undefined, 'BehindRestApi', 'invocations'],
      ['ANY', 'proxy', undefined, 'BehindRestApi', 'invocations'],
      ['GET', 'export', 'STREAM', 'Streams', streamed],
      ['GET', 'live', 'STREAM', 'Streams', streamed],
    ])
  })
})

describe('the queue', () => {
  it('is mapped to the worker, whose answer says which records failed', () => {
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 2)
    template.hasResource('AWS::Lambda::EventSourceMapping', {
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'Orders'), 'Arn'] },
        FunctionName: { Ref: functionOf('Worker') },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        BatchSize: 10,
      },
      // A mapping is refused as long as the function may not receive.
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('^WorkerServiceRoleDefaultPolicy')]),
    })
  })

  it("hides a message for six times the worker's timeout, and puts it aside when it was tried three times", () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 6 * 29,
      RedrivePolicy: {
        maxReceiveCount: 3,
        deadLetterTargetArn: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'DeadOrders'), 'Arn'] },
      },
    })
  })
})

describe('the news', () => {
  it('the stream is mapped to the projector, with limits, and with a place for what fails in the end', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
    })
    template.hasResource('AWS::Lambda::EventSourceMapping', {
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': [products, 'StreamArn'] },
        FunctionName: { Ref: functionOf('Projector') },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: 5,
        MaximumRecordAgeInSeconds: 3600,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [failures, 'Arn'] } } },
        StartingPosition: 'TRIM_HORIZON',
      },
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('^NewsProjectorServiceRoleDefaultPolicy')]),
    })
  })

  it("the teller hears of the shop's events, and the report is made once a night", () => {
    const target = (name: 'Teller' | 'Nightly') => [
      Match.objectLike({ Arn: { 'Fn::GetAtt': [functionOf(name), 'Arn'] }, RetryPolicy: Match.anyValue() }),
    ]
    template.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: { Ref: idOf('AWS::Events::EventBus') },
      EventPattern: { source: ['shop'] },
      Targets: target('Teller'),
    })
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'cron(0 2 * * ? *)',
      Targets: target('Nightly'),
    })
  })

  it.each(['Teller', 'Nightly'] as const)('what %s fails at is put aside after two more tries', (name) => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: functionOf(name) },
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [failures, 'Arn'] } } },
    })
  })

  it('the WebSocket API has the three routes, and its listeners are forgotten in time', () => {
    const routes = resources('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties['RouteKey'])
    expect(routes).toEqual(expect.arrayContaining(['$connect', '$default', '$disconnect']))
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: [
        { AttributeName: 'channel', KeyType: 'HASH' },
        { AttributeName: 'connectionId', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    })
  })
})

describe('the sources', () => {
  it('the load balancer sends repeated headers, parameters and cookies as lists', () => {
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      TargetType: 'lambda',
      Targets: [{ Id: { 'Fn::GetAtt': [functionOf('BehindAlb'), 'Arn'] } }],
      TargetGroupAttributes: [{ Key: 'lambda.multi_value_headers.enabled', Value: 'true' }],
    })
  })

  it('the REST API delivers bytes, and sends every path and method', () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { BinaryMediaTypes: ['*/*'] })
    template.hasResourceProperties('AWS::ApiGateway::Resource', { PathPart: '{proxy+}' })
    template.resourcePropertiesCountIs('AWS::ApiGateway::Method', { HttpMethod: 'ANY' }, 2)
    template.allResourcesProperties('AWS::ApiGateway::Method', {
      Integration: { Type: 'AWS_PROXY', Uri: Match.objectLike({}) },
    })
  })

  it('the HTTP API sends payload 2.0 to the function that a function URL has, too', () => {
    const target = functionOf('BehindHttpApi')
    template.hasResourceProperties('AWS::ApiGatewayV2::Integration', {
      PayloadFormatVersion: '2.0',
      IntegrationUri: { 'Fn::GetAtt': [target, 'Arn'] },
    })
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: '$default' })
    template.hasResourceProperties('AWS::Lambda::Url', {
      AuthType: 'AWS_IAM',
      TargetFunctionArn: { 'Fn::GetAtt': [target, 'Arn'] },
    })
  })
})

describe('the stores', () => {
  it("the table has the model's key, and its index by the model's name", () => {
    const key = (partition: string, sort: string) => [
      { AttributeName: partition, KeyType: 'HASH' },
      { AttributeName: sort, KeyType: 'RANGE' },
    ]
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: key('author', 'title'),
      GlobalSecondaryIndexes: [
        { IndexName: 'byGenre', KeySchema: key('genre', 'title'), Projection: { ProjectionType: 'ALL' } },
      ],
    })
  })

  it('the database takes tokens, is encrypted, and cannot be reached from outside', () => {
    template.hasResourceProperties('AWS::RDS::DBInstance', {
      Engine: 'postgres',
      DBName: 'shop',
      EnableIAMDatabaseAuthentication: true,
      StorageEncrypted: true,
      PubliclyAccessible: false,
    })
  })

  it.each(['BehindAlb', 'BehindRestApi', 'BehindHttpApi', 'Worker', 'NewsProjector', 'NewsNightly'])(
    '%s is let into the database',
    (name) => {
      template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
        GroupId: { 'Fn::GetAtt': [idOf('AWS::EC2::SecurityGroup', 'Database'), 'GroupId'] },
        SourceSecurityGroupId: {
          'Fn::GetAtt': [idOf('AWS::EC2::SecurityGroup', `${name}SecurityGroup`), 'GroupId'],
        },
      })
    },
  )

  it.each(['dynamodb', 'sqs', 'ssm', 'events'])('%s is reached without a way to the internet', (service) => {
    const endpoints = resources('AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
      readable(Properties['ServiceName']),
    )
    expect(endpoints).toContainEqual(expect.stringMatching(new RegExp(`\\.${service}$`)))
    template.resourceCountIs('AWS::EC2::NatGateway', 0)
  })

  it('no secret is in the template', () => {
    template.resourceCountIs('AWS::SSM::Parameter', 0)
  })
})
