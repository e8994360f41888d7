import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type LightClient, light } from 'clearskies-middy/clients/light'
import dynalite from 'dynalite'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll } from 'vitest'
import { type AwsStandIn, startAwsStandIn } from '../../examples/shop/local/aws-stand-in.ts'

/** An embedded DynamoDB for the tests of a file. */
export function useDynamoDb(): {
  readonly client: DynamoDBClient
  /** A client that is not of the SDK. */
  readonly light: LightClient
  createTable(name: string, keys: TableKeys): Promise<void>
} {
  let client: DynamoDBClient | undefined
  const server = dynalite({ createTableMs: 0 })
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    client = new DynamoDBClient({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  })
  afterAll(() => {
    client?.destroy()
    server.close()
    server.closeAllConnections()
  })
  return {
    get client() {
      return client as DynamoDBClient
    },
    get light() {
      return light({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    },
    async createTable(name, keys) {
      await this.client.send(tableCommand(name, keys))
      await waitUntilTableExists(
        { client: this.client, maxWaitTime: 10, minDelay: 0.005, maxDelay: 0.05 },
        { TableName: name },
      )
    },
  }
}

type Kind = 'S' | 'N' | 'B'

export interface TableKeys {
  readonly columns: Readonly<Record<string, Kind>>
  readonly key: readonly string[]
  readonly indexes?: Readonly<Record<string, readonly string[]>>
}

function tableCommand(TableName: string, { columns, key, indexes = {} }: TableKeys): CreateTableCommand {
  const schema = (names: readonly string[]) =>
    names.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? ('HASH' as const) : ('RANGE' as const),
    }))
  const secondary = Object.entries(indexes).map(([IndexName, names]) => ({
    IndexName,
    KeySchema: schema(names),
    Projection: { ProjectionType: 'ALL' as const },
  }))
  return new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: Object.entries(columns).map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    KeySchema: schema(key),
    ...(secondary.length > 0 && { GlobalSecondaryIndexes: secondary }),
  })
}

/** An embedded SQS for the tests of a file. */
export function useSqs(): {
  readonly client: SQSClient
  /** A client that is not of the SDK. */
  readonly light: LightClient
  readonly server: FauxqsServer
  createQueue(name: string, attributes?: Record<string, string>): string
} {
  let client: SQSClient | undefined
  let server: FauxqsServer | undefined
  beforeAll(async () => {
    server = await startFauxqs({ port: 0, logger: false, defaultRegion: 'eu-central-1' })
    client = new SQSClient({ endpoint: server.address })
  })
  afterAll(async () => {
    client?.destroy()
    await server?.stop()
  })
  return {
    get client() {
      return client as SQSClient
    },
    get light() {
      return light({ endpoint: this.server.address })
    },
    get server() {
      return server as FauxqsServer
    },
    createQueue(name, attributes = {}) {
      this.server.createQueue(name, { attributes })
      return `${this.server.address}/000000000000/${name}`
    },
  }
}

/** A stand-in for Parameter Store and Secrets Manager for the tests of a file. */
export function useAwsStandIn(): { readonly server: AwsStandIn } {
  let server: AwsStandIn | undefined
  beforeAll(async () => {
    server = await startAwsStandIn()
  })
  afterAll(() => server?.close())
  return {
    get server() {
      return server as AwsStandIn
    },
  }
}
