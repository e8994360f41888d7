// Compiled, and looked at by hover.test.ts: each mark stands in front of a word whose hover text is read.
import middy from '@middy/core'
import {
  MemoryBackend,
  alb,
  backends,
  eachRecord,
  environment,
  httpApi,
  model,
  sqs,
  validate,
} from 'clearskies-middy'
import type { SqsRequest } from 'clearskies-middy'
import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { z } from 'zod'

const schema = z.object({ id: z.string() })
const products = new MemoryBackend(model({ name: 'products', key: ['id'], schema }))

middy()
  .use(alb())
  .use(parameterStore({ fetch: { key: '/key' } }))
  .use(secretsManager({ as: 'vault' }))
  .use(environment({ names: ['TABLE'] }))
  .use(iamDbAuth({ engine: 'postgres' }))
  .use(backends({ products }))
  .handler((/* request */ request, /* context */ context) => [request, context])

middy()
  .use(httpApi())
  .use(validate({ data: z.object({ n: z.number() }), query: z.object({ page: z.string() }) }))
  .handler((/* validated */ request) => request.data.n)

middy()
  .use(sqs())
  .handler(eachRecord((/* record */ request: SqsRequest) => request.messageId))
