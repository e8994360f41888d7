// What every backend with queries does, over an embedded DynamoDB and in memory.
import { MemoryBackend } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { createTableOf } from '../support/dynamodb-tables.ts'
import { useDynamoDb } from '../support/engines.ts'
import { backendContract } from './contract/contract.ts'

const dynamoDb = useDynamoDb()
const made = new Set<string>()

backendContract(
  'DynamoDbBackend',
  async (model, options) => {
    if (!made.has(model.name)) {
      made.add(model.name)
      await createTableOf(dynamoDb.client, model)
    }
    return new DynamoDbBackend(model, { client: dynamoDb.client, ...options })
  },
  { encryptsTokens: true },
)

backendContract('MemoryBackend', async (model, options) => new MemoryBackend(model, options))
