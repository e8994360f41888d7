// Compiled against the built package, as a user's compiler sees it.
import * as root from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import * as testing from 'clearskies-middy/testing'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { alb } from 'clearskies-middy/normalizers/alb'
import middy from '@middy/core'

export { DynamoDbBackend, SqsBackend, root, secretsManager, testing }
export const handler = middy()
  .use(alb())
  .use(parameterStore({ fetch: { key: '/key' } }))
  .handler(async (request, { secrets }) => [request.path, secrets.values.key, await secrets.get('/other')])
