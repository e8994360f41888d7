// What every backend with queries does, over an embedded DynamoDB and in memory.
import { MemoryBackend } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { createTableOf } from '../support/dynamodb-tables.ts'
import { useDynamoDb } from '../support/engines.ts'
import { backendContract, sqlFlags } from './contract/contract.ts'

const dynamoDb = useDynamoDb()
const made = new Set<string>()

for (const kind of ['client', 'light'] as const)
  backendContract(
    kind === 'client' ? 'DynamoDbBackend' : 'DynamoDbBackend with the light client',
    async (model, options) => {
      if (!made.has(model.name)) {
        made.add(model.name)
        await createTableOf(dynamoDb.client, model)
      }
      return new DynamoDbBackend(model, { client: dynamoDb[kind], ...options })
    },
    { encryptsTokens: true, comparesObjects: false },
  )

backendContract('MemoryBackend', async (model, options) => new MemoryBackend(model, options), {
  encryptsTokens: true,
})

backendContract(
  'MemoryBackend like SQL',
  async (model, { scan: _, ttl: __, ...options }) => new MemoryBackend(model, { like: 'sql', ...options }),
  { ...sqlFlags, hasInfinity: true, holdsNul: false, encryptsTokens: true },
)
