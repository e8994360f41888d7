import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  type KeySchemaElement,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import type { Index, Model } from 'clearskies-middy'
import type { ColumnKind } from '../../src/backends/planning/column-kinds.ts'

const letters: Readonly<Partial<Record<ColumnKind, 'S' | 'N' | 'B'>>> = {
  string: 'S',
  date: 'S',
  number: 'N',
  bigint: 'N',
  decimal: 'N',
  bytes: 'B',
}

type TableModel = Pick<Model, 'name' | 'key' | 'indexes' | 'kind'>

/**
 * Creates a model's table, with its local and global indexes and what they hold.
 *
 * @param types - Of key columns that the schema does not tell
 */
export async function createTableOf(
  client: DynamoDBClient,
  model: TableModel,
  types: Readonly<Record<string, 'S' | 'N' | 'B'>> = {},
): Promise<void> {
  await client.send(new CreateTableCommand(tableInput(model, types)))
  await waitUntilTableExists(
    { client, maxWaitTime: 10, minDelay: 0.005, maxDelay: 0.05 },
    { TableName: model.name },
  )
}

function tableInput(
  model: TableModel,
  types: Readonly<Record<string, 'S' | 'N' | 'B'>>,
): CreateTableCommandInput {
  const { name, key, indexes } = model
  const all = Object.entries(indexes)
  const local = all.filter(([, index]) => isLocal(index, key)).map(indexInput)
  const global = all.filter(([, index]) => !isLocal(index, key)).map(indexInput)
  const keyColumns = all.flatMap(([, { partition, sort = [] }]) => [partition, sort].flat())
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...new Set([...key, ...keyColumns])].map((column) => ({
      AttributeName: column,
      AttributeType: types[column] ?? letters[model.kind(column) ?? 'string'] ?? 'S',
    })),
    KeySchema: keySchema([key[0] as string], key.slice(1)),
    ...(local.length > 0 && { LocalSecondaryIndexes: local }),
    ...(global.length > 0 && { GlobalSecondaryIndexes: global }),
  }
}

function isLocal({ partition, local }: Index, key: readonly string[]): boolean {
  return local ?? [partition].flat().join() === key[0]
}

function indexInput([IndexName, { partition, sort = [], project = 'all' }]: readonly [string, Index]) {
  const ProjectionType =
    project === 'all' ? ('ALL' as const) : project === 'keys' ? ('KEYS_ONLY' as const) : ('INCLUDE' as const)
  return {
    IndexName,
    KeySchema: keySchema([partition].flat(), [sort].flat()),
    Projection: { ProjectionType, ...(Array.isArray(project) && { NonKeyAttributes: [...project] }) },
  }
}

function keySchema(partition: readonly string[], sort: readonly string[]): KeySchemaElement[] {
  return [
    ...partition.map((AttributeName) => ({ AttributeName, KeyType: 'HASH' as const })),
    ...sort.map((AttributeName) => ({ AttributeName, KeyType: 'RANGE' as const })),
  ]
}
