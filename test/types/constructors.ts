// Compiled and never run: what the library makes, nobody else makes; its classes are there for `instanceof`.
import { HttpRequest, InvocationRequest, Query, SnsRequest, SqsBatch, SqsRequest } from 'clearskies-middy'
import {
  DynamoDbBackend,
  type PreparedWrites,
  type TransactWrite,
  transact,
} from 'clearskies-middy/backends/dynamodb'
import { Model, model } from 'clearskies-middy/backends/model'
import { Environment } from 'clearskies-middy/middleware/environment'
import { Secrets } from 'clearskies-middy/middleware/secrets'
import { z } from 'zod'

function same<T extends true>(..._: T extends true ? [] : [never]): void {}

// @ts-expect-error M50: normalizers make it
new HttpRequest()
// @ts-expect-error invocation() makes it
new InvocationRequest()
// @ts-expect-error sqs() makes it
new SqsBatch()
// @ts-expect-error a batch makes it
new SqsRequest()
// @ts-expect-error a batch makes it
new SnsRequest()
// @ts-expect-error parameterStore() and secretsManager() make it
new Secrets()
// @ts-expect-error environment() makes it
new Environment()
// @ts-expect-error a backend makes it
new Query()
// @ts-expect-error model() makes it
new Model()

// Nor with any arguments.
type Made =
  | typeof HttpRequest
  | typeof InvocationRequest
  | typeof SqsBatch
  | typeof SqsRequest
  | typeof SnsRequest
  | typeof Secrets
  | typeof Environment
  | typeof Query
  | typeof Model
type Constructible = Extract<Made | typeof DynamoDbBackend, abstract new (...parameters: never) => unknown>
same<[Constructible] extends [typeof DynamoDbBackend] ? true : false>()

export function whatItIs(value: unknown): string {
  if (value instanceof HttpRequest) return value.path
  if (value instanceof InvocationRequest) return value.kind
  if (value instanceof SqsRequest) return value.messageId
  return value instanceof SqsBatch ? value.source : 'something else'
}

const orders = new DynamoDbBackend(
  model({ name: 'orders', key: ['id'], schema: z.object({ id: z.string() }) }),
)
const writes: PreparedWrites<{ id: string }, { id: string }, { id: string }> = orders.prepare
void transact([writes.create({ id: '7' })])
// @ts-expect-error Y8: a write that is on its way already is none of a transaction
void transact([orders.create({ id: '7' })])
// @ts-expect-error Y8: nor is anything else
void transact([{}])
// @ts-expect-error Y8: nobody else makes one
export const made: TransactWrite = {}
