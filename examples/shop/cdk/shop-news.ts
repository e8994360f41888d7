import { CfnOutput, Duration, Stack } from 'aws-cdk-lib'
import { WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2'
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { AttributeType, Billing, type ITableV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { type IVpc } from 'aws-cdk-lib/aws-ec2'
import { EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { allow, shopFunction } from './shop-function.ts'

/** What the news need of the rest of the shop. */
export interface ShopNewsProps {
  readonly vpc: IVpc
  readonly products: ITableV2
  /** Of the functions in the VPC. */
  readonly environment: Record<string, string>
}

/**
 * News of the shop, on a bus and by WebSocket: the catalogue follows the stream of the products, a report is made once a
 * night, and every page that listens is told.
 */
export class ShopNews extends Construct {
  readonly bus: EventBus
  /** Where pages listen. */
  readonly url: string
  /** Work in the database, inside of the VPC. */
  readonly projector: NodejsFunction
  readonly nightly: NodejsFunction
  /** What could not be worked in the end, whoever was to do it. */
  readonly #failures: Queue

  constructor(scope: Construct, id: string, { vpc, products, environment }: ShopNewsProps) {
    super(scope, id)
    this.bus = new EventBus(this, 'Bus')
    this.#failures = new Queue(this, 'Failures', { retentionPeriod: Duration.days(14) })
    const inside = { vpc, environment: { ...environment, EVENT_BUS_NAME: this.bus.eventBusName } }
    this.projector = shopFunction(this, 'Projector', { handler: 'projector', ...inside })
    this.nightly = shopFunction(this, 'Nightly', { handler: 'nightly', ...inside })
    for (const teller of [this.projector, this.nightly]) this.letTell(teller)
    this.#follow(products)
    this.#callNightly()
    this.url = this.#tellPages()
  }

  /** Lets a function put events on the bus. */
  letTell(teller: NodejsFunction): void {
    allow(teller, ['events:PutEvents'], this.bus.eventBusArn)
  }

  /** By hand and not by `DynamoEventSource`, which would allow more than a mapping needs. */
  #follow(products: ITableV2): void {
    const stream = String(products.tableStreamArn)
    const actions = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams']
    allow(
      this.projector,
      actions.map((action) => `dynamodb:${action}`),
      stream,
    )
    allow(this.projector, ['sqs:SendMessage'], this.#failures.queueArn)
    const mapping = new EventSourceMapping(this, 'ProductsToProjector', {
      target: this.projector,
      eventSourceArn: stream,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      // Without it one failure brings the whole batch again, and with it those that were done.
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      // Without limits one bad record holds its shard up until the stream forgets it, for a day.
      retryAttempts: 5,
      maxRecordAge: Duration.hours(1),
      onFailure: this.#destination(),
    })
    mapping.node.addDependency(this.projector.role as NonNullable<typeof this.projector.role>)
  }

  #callNightly(): void {
    new Rule(this, 'Night', {
      schedule: Schedule.cron({ hour: '2', minute: '0' }),
      targets: [new LambdaFunction(this.nightly, { retryAttempts: 3, maxEventAge: Duration.hours(1) })],
    })
    this.#putAside(this.nightly)
  }

  /** Outside of the VPC, from where the management API of a WebSocket API cannot be reached without a way to the internet. */
  #tellPages(): string {
    const listeners = new TableV2(this, 'Listeners', {
      partitionKey: { name: 'channel', type: AttributeType.STRING },
      sortKey: { name: 'connectionId', type: AttributeType.STRING },
      timeToLiveAttribute: 'expiresAt',
      billing: Billing.onDemand(),
    })
    const api = new WebSocketApi(this, 'Api')
    const stage = new WebSocketStage(this, 'Live', { webSocketApi: api, stageName: 'live', autoDeploy: true })
    const environment = { LISTENERS_TABLE: listeners.tableName, CONNECTIONS_ENDPOINT: stage.callbackUrl }
    const live = shopFunction(this, 'LiveFunction', { handler: 'live', environment })
    const teller = shopFunction(this, 'Teller', { handler: 'teller', environment })
    for (const [name, route] of [
      ['Connect', '$connect'],
      ['Message', '$default'],
      ['Disconnect', '$disconnect'],
    ] as const)
      api.addRoute(route, { integration: new WebSocketLambdaIntegration(name, live) })
    allow(live, ['dynamodb:PutItem', 'dynamodb:DeleteItem'], listeners.tableArn)
    allow(teller, ['dynamodb:Query', 'dynamodb:DeleteItem'], listeners.tableArn)
    const connections = Stack.of(this).formatArn({
      service: 'execute-api',
      resource: api.apiId,
      resourceName: 'live/POST/@connections/*',
    })
    allow(teller, ['execute-api:ManageConnections'], connections)
    new Rule(this, 'News', {
      eventBus: this.bus,
      eventPattern: { source: ['shop'] },
      targets: [new LambdaFunction(teller, { retryAttempts: 3, maxEventAge: Duration.minutes(5) })],
    })
    this.#putAside(teller)
    new CfnOutput(this, 'Url', { value: stage.url })
    return stage.url
  }

  /** Events that a function fails at, and that Lambda has tried again. */
  #putAside(target: NodejsFunction): void {
    target.configureAsyncInvoke({ retryAttempts: 2, onFailure: this.#destination() })
    allow(target, ['sqs:SendMessage'], this.#failures.queueArn)
  }

  /** Not CDK's own, which would allow more than to send. */
  #destination() {
    return { bind: () => ({ destination: this.#failures.queueArn }) }
  }
}
