import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import * as apigateway from 'aws-cdk-lib/aws-apigateway'
import { HttpApi, PayloadFormatVersion } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { AttributeType, Billing, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { LambdaTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2-targets'
import { EventSourceMapping, FunctionUrlAuthType, InvokeMode } from 'aws-cdk-lib/aws-lambda'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import * as rds from 'aws-cdk-lib/aws-rds'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { allow, shopFunction, timeout } from './shop-function.ts'
import { ShopNews } from './shop-news.ts'

/**
 * The parameter with the key that orders are signed with. CloudFormation makes no `SecureString`, and a key has no place in
 * a template: it is put there once, as the README says. Under the account's own key `aws/ssm` it needs no `kms:Decrypt`.
 */
export const signingKey = '/shop/signing-key'

/** The user of the database; see setup.sql. */
export const databaseUser = 'shop'

/** The shop behind a load balancer, a REST API, an HTTP API, a function URL, direct invocations and a queue; and its news. */
export class ShopStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)
    const vpc = this.#vpc()
    const products = this.#products()
    const { orders, deadOrders } = this.#queues()
    const database = this.#database(vpc)

    const environment = {
      PRODUCTS_TABLE: products.tableName,
      ORDERS_QUEUE_URL: orders.queueUrl,
      db_endpoint: database.instanceEndpoint.hostname,
      db_port: database.dbInstanceEndpointPort,
      db_username: databaseUser,
      db_database: 'shop',
    }
    const news = new ShopNews(this, 'News', { vpc, products, environment })
    const told = { ...environment, EVENT_BUS_NAME: news.bus.eventBusName }
    const streams = shopFunction(this, 'Streams', { handler: 'streamHandler', vpc, environment: told })
    allow(streams, ['dynamodb:Query'], products.tableArn)
    const shown = { ...told, LIVE_URL: news.url, STREAMS_URL: this.#streamingUrl(streams) }
    const add = (name: string, handler: string): NodejsFunction =>
      shopFunction(this, name, { handler, vpc, environment: shown })
    const behindAlb = add('BehindAlb', 'albHandler')
    const behindRestApi = add('BehindRestApi', 'restApiHandler')
    // One function for both: they send the same events.
    const behindHttpApi = add('BehindHttpApi', 'httpApiHandler')
    const createProduct = add('CreateProduct', 'createProductHandler')
    const worker = add('Worker', 'worker')

    const serving = [behindAlb, behindRestApi, behindHttpApi]
    for (const one of serving) {
      allow(one, productActions, products.tableArn)
      allow(one, ['dynamodb:Query'], `${products.tableArn}/index/byGenre`)
      allow(one, ['sqs:SendMessage'], orders.queueArn)
    }
    allow(createProduct, ['dynamodb:PutItem'], products.tableArn)
    const parameter = this.formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: signingKey.slice(1),
    })
    for (const one of [...serving, worker]) {
      allow(one, ['ssm:GetParameters'], parameter)
    }
    for (const one of [...serving, streams, worker, news.projector, news.nightly]) {
      database.grantConnect(one, databaseUser)
      database.connections.allowDefaultPortFrom(one)
    }

    news.letTell(worker)
    this.#consume(orders, worker)
    this.#loadBalancer(vpc, behindAlb)
    this.#restApi(behindRestApi, streams)
    this.#httpApi(behindHttpApi)
    this.#tell('CreateProductFunction', createProduct.functionName)
    this.#tell('DeadOrdersUrl', deadOrders.queueUrl)
  }

  /** Without a way to the internet: the functions reach AWS through endpoints. */
  #vpc(): ec2.Vpc {
    const vpc = new ec2.Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'public', subnetType: ec2.SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
        { name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      ],
    })
    vpc.addGatewayEndpoint('DynamoDb', { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB })
    vpc.addInterfaceEndpoint('Sqs', { service: ec2.InterfaceVpcEndpointAwsService.SQS })
    vpc.addInterfaceEndpoint('Events', { service: ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE })
    vpc.addInterfaceEndpoint('Ssm', { service: ec2.InterfaceVpcEndpointAwsService.SSM })
    return vpc
  }

  /** The model's key, and its index by name. */
  #products(): TableV2 {
    return new TableV2(this, 'Products', {
      partitionKey: { name: 'author', type: AttributeType.STRING },
      sortKey: { name: 'title', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      // The catalogue follows it, and needs the new item alone.
      dynamoStream: StreamViewType.NEW_IMAGE,
      globalSecondaryIndexes: [
        {
          indexName: 'byGenre',
          partitionKey: { name: 'genre', type: AttributeType.STRING },
          sortKey: { name: 'title', type: AttributeType.STRING },
        },
      ],
    })
  }

  #queues(): { readonly orders: sqs.Queue; readonly deadOrders: sqs.Queue } {
    const deadOrders = new sqs.Queue(this, 'DeadOrders', { retentionPeriod: Duration.days(14) })
    const orders = new sqs.Queue(this, 'Orders', {
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's.
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
      deadLetterQueue: { queue: deadOrders, maxReceiveCount: 3 },
    })
    return { orders, deadOrders }
  }

  #database(vpc: ec2.Vpc): rds.DatabaseInstance {
    return new rds.DatabaseInstance(this, 'Database', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO),
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      databaseName: 'shop',
      credentials: rds.Credentials.fromGeneratedSecret('administrator'),
      iamAuthentication: true,
      allocatedStorage: 20,
      storageType: rds.StorageType.GP3,
      storageEncrypted: true,
    })
  }

  /** By hand and not by `SqsEventSource`, which would allow more than a mapping needs. */
  #consume(queue: sqs.Queue, worker: NodejsFunction): void {
    allow(worker, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queue.queueArn)
    const mapping = new EventSourceMapping(this, 'OrdersToWorker', {
      target: worker,
      eventSourceArn: queue.queueArn,
      batchSize: 10,
      maxConcurrency: 5,
      // Without it whatever sqs() answers deletes the whole batch.
      reportBatchItemFailures: true,
    })
    mapping.node.addDependency(worker.role as NonNullable<typeof worker.role>)
  }

  /** Over HTTP, because a certificate needs a name of your own. */
  #loadBalancer(vpc: ec2.Vpc, target: NodejsFunction): void {
    const balancer = new elbv2.ApplicationLoadBalancer(this, 'LoadBalancer', { vpc, internetFacing: true })
    const group = new elbv2.ApplicationTargetGroup(this, 'BehindAlbTarget', {
      targetType: elbv2.TargetType.LAMBDA,
      targets: [new LambdaTarget(target)],
      // Without it the last of repeated headers, parameters and cookies is all that arrives.
      multiValueHeadersEnabled: true,
    })
    balancer.addListener('Http', { port: 80, defaultTargetGroups: [group] })
    this.#tell('LoadBalancerUrl', `http://${balancer.loadBalancerDnsName}`)
  }

  #restApi(behindRestApi: NodejsFunction, streams: NodejsFunction): void {
    // It tells its own address.
    const api = new apigateway.LambdaRestApi(this, 'RestApi', {
      handler: behindRestApi,
      proxy: false,
      // Only what is listed here is delivered as bytes, in both directions.
      binaryMediaTypes: ['*/*'],
      cloudWatchRole: false,
    })
    const streaming = new apigateway.LambdaIntegration(streams, {
      responseTransferMode: apigateway.ResponseTransferMode.STREAM,
    })
    for (const route of ['export', 'live']) api.root.addResource(route).addMethod('GET', streaming)
    // All else is taken whole.
    api.root.addMethod('ANY')
    api.root.addProxy()
  }

  #httpApi(behindHttpApi: NodejsFunction): void {
    const httpApi = new HttpApi(this, 'HttpApi', {
      defaultIntegration: new HttpLambdaIntegration('Shop', behindHttpApi, {
        payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
      }),
    })
    this.#tell('HttpApiUrl', httpApi.apiEndpoint)
    const { url } = behindHttpApi.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM })
    this.#tell('HttpApiFunctionUrl', url)
  }

  /** As open as the APIs: the page of any of them listens here. */
  #streamingUrl(streams: NodejsFunction): string {
    const { url } = streams.addFunctionUrl({
      authType: FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
    })
    this.#tell('StreamsUrl', url)
    return url
  }

  #tell(name: string, value: string): void {
    new CfnOutput(this, name, { value })
  }
}

/** What the handlers behind HTTP ask of the table, and no more. */
const productActions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'].map(
  (action) => `dynamodb:${action}`,
)
