// Compiled and never run: what a chain of middlewares leaves for the handler, and what must not compile.
import middy from '@middy/core'
import type { ALBEvent, APIGatewayProxyEvent, Context } from 'aws-lambda'
import {
  type DynamoDbStreamRequest,
  type FirehoseRequest,
  type HttpApiEvent,
  type EventBridgeRequest,
  type ItemOf,
  type KafkaRequest,
  type KinesisRequest,
  type LogsRequest,
  type S3Request,
  type HttpRequest,
  type InvocationRequest,
  MemoryBackend,
  type ContextOf,
  type SqsBatch,
  type RecordBatch,
  type RecordRequest,
  type SnsRequest,
  type SqsRequest,
  type HttpSource,
  alb,
  anyHttp,
  backends,
  dynamodbStream,
  eachRecord,
  environment,
  eventBridge,
  firehose,
  httpApi,
  invocation,
  kafka,
  kinesis,
  logs,
  model,
  restApi,
  s3,
  sns,
  sqs,
  validate,
} from 'clearskies-middy'
import type { LooseContext } from 'clearskies-middy/normalizers/each-record'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { type Secrets, parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import * as v from 'valibot'
import { z } from 'zod'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<T extends true>(..._: T extends true ? [] : [never]): void {}

const Product = model({
  name: 'products',
  key: ['id'],
  schema: z.object({
    id: z.string(),
    price: z.number(),
    tags: z.array(z.string()),
    note: z.string().optional(),
  }),
})
const Order = model({
  name: 'https://sqs.eu-central-1.amazonaws.com/1/orders',
  schema: z.object({ id: z.string(), state: z.string().default('placed') }),
})
const products = new MemoryBackend(Product)

// Request and context are inferred, in any order, one by one or as a list.
middy()
  .use(alb())
  .use(parameterStore({ fetch: { apiKey: '/shop/api-key' } }))
  .use(backends({ products, orders: () => new SqsBackend(Order) }))
  .use(environment({ names: ['TABLE'] }))
  .handler(async (request, context) => {
    same<Equal<typeof request, HttpRequest<'alb', ALBEvent>>>()
    same<Equal<typeof context.secrets, Secrets<'apiKey'>>>()
    same<Equal<typeof context.secrets.values.apiKey, string>>()
    same<Equal<typeof context.backends.products, typeof products>>()
    same<Equal<typeof context.environment.values, { readonly TABLE: string }>>()
    const { awsRequestId }: Context = context
    // @ts-expect-error only what was declared is there
    context.secrets.values.other
    // @ts-expect-error a backend that nobody gave
    context.backends.customers
    const found = await context.backends.products.find({ id: awsRequestId })
    const created = await context.backends.orders.create({ id: '7' })
    same<Equal<typeof created, { id: string; state: string }>>()
    return found?.price
  })

// X23, X24: values by path are an object, and what may be missing says so.
middy()
  .use(
    parameterStore({
      fetch: { shop: '/shop/prod/*', key: '/shop/key', none: { path: '/shop/none', optional: true } },
    }),
  )
  .use(secretsManager({ as: 'vault', fetch: { user: { path: 'db#user' } } }))
  .handler(async (_, { secrets, vault }) => {
    same<Equal<typeof secrets.values.shop, Readonly<Record<string, string>>>>()
    same<Equal<typeof secrets.values.key, string>>()
    same<Equal<typeof secrets.values.none, string | undefined>>()
    same<Equal<typeof vault.values.user, string>>()
    // @ts-expect-error only what was declared is there
    secrets.values.other
    const below = await secrets.getMany('/shop/prod/*')
    same<Equal<typeof below, Record<string, string>>>()
    const some = await secrets.getMany(['/a', '/b'])
    same<Equal<typeof some, Record<'/a' | '/b', string>>>()
    // @ts-expect-error a name alone is no path
    await secrets.getMany('/shop/prod')
    await secrets.create('/a', 'x', { tier: 'Advanced', tags: { team: 'shop' } })
    // @ts-expect-error only a new secret is given tags
    await secrets.update('/a', 'x', { tags: {} })
  })

middy()
  .use(backends({ products }))
  .use([parameterStore(), restApi()])
  .handler(async (request, { secrets, backends: { products: same_ } }) => [
    request.resource,
    await secrets.get('/a'),
    same_,
  ])

middy()
  .use(restApi())
  .handler((request) => same<Equal<typeof request, HttpRequest<'rest-api', APIGatewayProxyEvent>>>())
middy()
  .use(httpApi())
  .handler((request) => same<Equal<typeof request, HttpRequest<'http-api' | 'function-url', HttpApiEvent>>>())
middy()
  .use(invocation())
  .handler((request) => same<Equal<typeof request, InvocationRequest>>())

// Y1: a function of one record that is written in place has the types of its chain.
const queueChain = middy().use(sqs()).use(parameterStore())
queueChain.handler(
  eachRecord(async (request, context) => {
    same<Equal<typeof request, SqsRequest>>()
    same<Equal<typeof context.secrets, Secrets>>()
    const { awsRequestId }: Context = context
    // @ts-expect-error what the chain does not make
    context.backends
    await context.secrets.get(awsRequestId)
  }),
)
// Y1: what `unwrap` takes off has the type of the source that it names.
middy()
  .use(sqs({ unwrap: 'sns' }))
  .use(parameterStore())
  .handler(
    eachRecord(async ({ unwrapped, receiveCount }, { secrets }) => {
      same<Equal<typeof unwrapped, SnsRequest>>()
      same<Equal<typeof receiveCount, number>>()
      // @ts-expect-error no member of a topic's message
      unwrapped.detailType
      await secrets.get(unwrapped.topicArn)
    }),
  )
middy()
  .use(sqs({ unwrap: 'event-bridge', body: 'json' }))
  .handler(eachRecord(({ unwrapped }) => same<Equal<typeof unwrapped, EventBridgeRequest>>()))
middy()
  .use([sqs({ unwrap: 's3' })])
  .handler(eachRecord(({ unwrapped }) => same<Equal<typeof unwrapped, readonly S3Request[]>>()))
middy()
  .use(sqs({ unwrap: true }))
  .handler(eachRecord(({ unwrapped }) => same<Equal<typeof unwrapped, unknown>>()))
queueChain.handler(
  // @ts-expect-error nothing is unwrapped in this chain
  eachRecord(({ unwrapped }) => unwrapped.subject),
)
queueChain.handler(
  // @ts-expect-error a function that needs what this chain does not unwrap
  eachRecord(({ unwrapped }: SqsRequest<unknown, SnsRequest>) => unwrapped.subject),
)
// @ts-expect-error no source that comes by way of a queue
sqs({ unwrap: 'kinesis' })
const unwrappingChain = middy().use(sqs({ unwrap: 'sns' }))
unwrappingChain.handler(eachRecord(({ unwrapped }: SqsRequest<unknown, SnsRequest>) => unwrapped.subject))
// A function of any queue's messages fits.
unwrappingChain.handler(eachRecord(({ data }: SqsRequest) => data))
unwrappingChain.handler(
  eachRecord(
    middy<SqsRequest<unknown, SnsRequest>>()
      .use(validate({ data: z.object({ n: z.number() }) }))
      .handler(({ data, unwrapped }) => [data.n, unwrapped.subject]),
  ),
)

const topicChain = middy().use([sns(), parameterStore()])
topicChain.handler(
  eachRecord(async ({ data, topicArn, subject }, { secrets }) => {
    same<Equal<typeof data, unknown>>()
    same<Equal<typeof subject, string | undefined>>()
    await secrets.get(topicArn)
  }),
)
topicChain.handler(eachRecord(({ data }) => data))
topicChain.handler(eachRecord(() => 1))
topicChain.handler(
  eachRecord(
    function work({ topicArn }, { secrets }) {
      return [topicArn, secrets]
    },
    { onFailure: (_, { topicArn }) => topicArn },
  ),
)
function reportTopic(_: unknown, request: SnsRequest): void {
  console.log(request.topicArn)
}
topicChain.handler(eachRecord(({ topicArn }) => topicArn, { onFailure: reportTopic }))
topicChain.handler(
  // @ts-expect-error a function of another source's records
  eachRecord(({ queueUrl }: SqsRequest) => queueUrl),
)
topicChain.handler((batch) => same<Equal<typeof batch, RecordBatch<SnsRequest>>>())

// Y1: one that stands alone has what all requests have, and a loose context.
eachRecord((request, context) => {
  same<Equal<typeof request, RecordRequest>>()
  same<Equal<typeof context, LooseContext>>()
})
queueChain.handler(
  eachRecord(async (request, { secrets }: ContextOf<typeof queueChain>) => {
    same<Equal<typeof secrets, Secrets>>()
    await secrets.get(request.messageId)
  }),
)
queueChain.handler(
  // @ts-expect-error a context that the chain does not make
  eachRecord((_: SqsRequest, { backends: _backends }: { backends: object }) => 1),
)

// Y2: a chain per record names its source only for that source's own members.
topicChain.handler(
  eachRecord(
    middy()
      .use(validate({ data: z.object({ n: z.number() }) }))
      .handler(({ data }) => data.n),
  ),
)
topicChain.handler(
  eachRecord(
    middy<SnsRequest>()
      .use(validate({ data: z.object({ n: z.number() }) }))
      .handler(({ data, topicArn }) => [data.n, topicArn]),
  ),
)
topicChain.handler(
  // @ts-expect-error a chain for another source's records
  eachRecord(middy<SqsRequest>().handler(({ queueUrl }) => queueUrl)),
)
queueChain.handler((batch) => same<Equal<typeof batch, SqsBatch>>())

// Another key for a second store; values of stacked loaders are merged.
middy()
  .use(invocation())
  .use(parameterStore({ fetch: { a: '/a' } }))
  .use(parameterStore({ fetch: { b: '/b' } }))
  .use(secretsManager({ as: 'vault', fetch: { c: 'c' } }))
  .handler((_, { secrets, vault }) => [secrets.values.a, secrets.values.b, vault.values.c])

// A schema types the environment.
middy()
  .use(invocation())
  .use(environment({ names: ['PORT'], schema: z.object({ PORT: z.coerce.number() }) }))
  .handler((_, { environment: { values } }) => same<Equal<typeof values.PORT, number>>())

// A schema narrows what comes behind every source.
const schemas = { data: z.object({ title: z.string() }), query: z.object({ page: z.coerce.number() }) }
middy()
  .use(anyHttp())
  .use(validate(schemas))
  .handler(({ data, query, source }) => {
    same<Equal<typeof data, { title: string }>>()
    same<Equal<typeof query.page, number>>()
    same<Equal<typeof source, HttpSource>>()
    // @ts-expect-error a field that the schema does not have
    data.price
    return query.get('page')
  })
middy()
  .use(validate(schemas))
  .use(alb())
  .handler(({ data, source }) => {
    same<Equal<typeof data, { title: string }>>()
    same<Equal<typeof source, 'alb'>>()
  })
middy()
  .use(invocation())
  .use(validate({ data: v.object({ id: v.string() }) }))
  .handler(({ data }) => same<Equal<typeof data, { id: string }>>())
middy()
  .use(restApi())
  .handler(({ data }) => same<Equal<typeof data, unknown>>())
// Y4: a name that URLSearchParams has stays its method; the other names are what the schema makes of them.
const sorting = z.object({
  sort: z.string(),
  size: z.enum(['S', 'M']),
  get: z.string(),
  page: z.coerce.number(),
})
middy()
  .use(httpApi())
  .use(validate({ query: sorting }))
  .handler(({ query, valid }) => {
    same<Equal<typeof valid.query.sort, string>>()
    same<Equal<typeof valid.query.size, 'S' | 'M'>>()
    same<Equal<typeof query.page, number>>()
    same<Equal<typeof query.size, number>>()
    same<Equal<typeof query.sort, () => void>>()
    // @ts-expect-error Y4: no text
    query.get.length.at(0)
    return query.get('size')
  })

// Y3: in the table of a router, as docs/routing.md has it, the request is inferred; the context is named once.
type Route<TContext> = (request: HttpRequest, context: TContext) => unknown
declare function router<TContext>(table: Readonly<Record<`GET /${string}`, Route<TContext>>>): Route<TContext>
const routed = router<{ readonly secrets: Secrets<'apiKey'> }>({
  'GET /': () => 'ok',
  'GET /products/{id}': (request, { secrets }) => {
    same<Equal<typeof request, HttpRequest>>()
    // @ts-expect-error only what the context has is there
    secrets.values.other
    return secrets.values.apiKey
  },
})
middy()
  .use(httpApi())
  .use(parameterStore({ fetch: { apiKey: '/shop/api-key' } }))
  .handler(routed)
middy()
  .use(httpApi())
  // @ts-expect-error the chain has no secrets
  .handler(routed)

// Y6: use() sees no order and no gap. These compile, as docs/faq.md says, and are errors at run time.
middy()
  .use(validate({ query: z.object({ page: z.string() }) }))
  .use(httpApi())
  .handler(() => 'the parts are checked before there is a request')
middy()
  .use(validate({ data: z.object({ n: z.number() }) }))
  .handler(({ data }) => data.n)

// Y5: a part that the source does not have, and a place where there is no request, leave nothing to handle.
const data = z.object({ id: z.string() })
const query = z.object({ page: z.string() })
middy()
  .use(invocation())
  .use(validate({ query }))
  // @ts-expect-error Y5: an invocation has no query
  .handler((request) => String(request.raw))
middy()
  .use(sqs())
  .use(validate({ data }))
  // @ts-expect-error Y5: a batch is no request
  .handler((batch) => String(batch.raw))
middy()
  .use(validate({ pathParameters: data }))
  .use(invocation())
  // @ts-expect-error Y5: an invocation has no path
  .handler((request) => String(request.raw))
middy()
  .use(invocation())
  .use(validate({ headers: data, data }))
  // @ts-expect-error Y5: an invocation has no headers
  .handler((request) => String(request.raw))
middy()
  .use(alb())
  .use(validate({ data, query, pathParameters: data, headers: data }))
  .handler(({ kind, data: { id }, pathParameters, headers }) => {
    same<Equal<typeof kind, 'http'>>()
    return [id, pathParameters.id, headers.id]
  })

// @ts-expect-error a part that requests do not have
validate({ body: z.string() })

// Two normalizers in one chain leave nothing to handle.
middy()
  .use(alb())
  .use(restApi())
  .handler((request) => same<Equal<typeof request, never>>())

// Models and queries.
async function queries(): Promise<void> {
  products.where('price', '>', 5).where('tags', 'contains', 'new').where('id', 'in', ['a', 'b'])
  products.where('price', 'between', [1, 2]).where('note', 'is-null').where({ id: 'a' })
  // @ts-expect-error a parameter that may be missing
  products.where('id', '=', new URLSearchParams().get('id'))
  const selected = await products.where('id', '=', 'a').select('id', 'price').first()
  same<Equal<typeof selected, { id: string; price: number } | undefined>>()
  // @ts-expect-error no such column
  products.where('colour', '=', 'red')
  // @ts-expect-error an operator for text
  products.where('price', 'begins-with', 1)
  // @ts-expect-error a value of another type
  products.where('price', '>', 'a')
  // @ts-expect-error one bound only
  products.where('price', 'between', [1])
  // @ts-expect-error a value where there is none
  products.where('note', 'is-null', 'x')
  // @ts-expect-error an incomplete key
  await products.find({})
  // @ts-expect-error incomplete data
  await products.create({ id: 'a' })
  const schema = z.object({ id: z.string() })
  // @ts-expect-error a key that the schema does not have
  model({ name: 'x', key: ['nope'], schema })
  // @ts-expect-error an index over a column that the schema does not have
  model({ name: 'x', key: ['id'], indexes: { byNope: { partition: 'nope' } }, schema })
}
void queries

// A chain per record: around a function, and with one of its own.
eachRecord(
  middy(async ({ messageId }: SqsRequest) => {
    same<Equal<typeof messageId, string>>()
  }).use(validate({ data: z.object({ id: z.string() }) })),
)
const workRecord = middy()
  .use(validate({ data: z.object({ id: z.string() }) }))
  .handler((request) => {
    same<Equal<typeof request.data, { id: string }>>()
  })
eachRecord(workRecord, { concurrency: 5 })
// @ts-expect-error a handler of another source
eachRecord((request: HttpRequest) => request.path)

// Options.
// @ts-expect-error an unknown option
alb({ trustProxy: true })
// @ts-expect-error a wrong one
eachRecord(() => 1, { fifo: 'queue' })

// What `onRequest` is told is typed; a promise may be given.
httpApi({
  onRequest({ method, route, status, milliseconds, requestId }) {
    same<Equal<typeof method, string>>()
    same<Equal<typeof route, string | undefined>>()
    same<Equal<typeof status, number>>()
    same<Equal<typeof milliseconds, number>>()
    same<Equal<typeof requestId, string | undefined>>()
  },
})
anyHttp({ onRequest: async () => Promise.resolve() })
// @ts-expect-error what it is told of
alb({ onRequest: ({ duration }) => duration as unknown })

// Y1: behind every source of records the function has that source's request, and one of another source is refused.
const streamChain = middy().use(kinesis()).use(parameterStore())
streamChain.handler(
  eachRecord(async ({ data, partitionKey, arrivedAt }, { secrets }) => {
    same<Equal<typeof data, unknown>>()
    same<Equal<typeof arrivedAt, Date>>()
    await secrets.get(partitionKey)
  }),
)
const changes = middy().use(dynamodbStream({ model: Product }))
changes.handler(
  eachRecord(({ change, keys, newItem, oldItem, data }) => {
    same<Equal<typeof change, 'insert' | 'modify' | 'remove'>>()
    same<Equal<typeof keys, Pick<ItemOf<typeof Product>, 'id'>>>()
    same<Equal<typeof newItem, ItemOf<typeof Product> | undefined>>()
    // @ts-expect-error a column that the model does not have
    oldItem?.colour
    return [data.id, newItem?.price.toFixed(2)]
  }),
)
middy()
  .use(dynamodbStream())
  .handler(
    eachRecord(({ newItem, keys }) => {
      same<Equal<typeof newItem, Readonly<Record<string, unknown>> | undefined>>()
      return keys['id']
    }),
  )
const topics = middy().use(kafka())
topics.handler(
  eachRecord(({ key, offset, headers, headerValues }) => {
    same<Equal<typeof key, string | undefined>>()
    same<Equal<typeof offset, bigint>>()
    same<Equal<ReturnType<typeof headerValues>, Uint8Array[]>>()
    return headers['trace']
  }),
)
const objects = middy().use(s3())
objects.handler(
  eachRecord(({ key, size, data }) => {
    same<Equal<typeof size, number | undefined>>()
    return [key, data.bucket]
  }),
)
const delivery = middy().use(firehose())
delivery.handler(eachRecord(({ recordId, data }) => ({ recordId, data })))
const lines = middy().use([logs(), parameterStore()])
lines.handler(
  eachRecord(async ({ logGroup, timestamp }, { secrets }) => [
    timestamp.getTime(),
    await secrets.get(logGroup),
  ]),
)
// @ts-expect-error a function of another source's records
streamChain.handler(eachRecord(({ topic }: KafkaRequest) => topic))
// @ts-expect-error a function of another source's records
topics.handler(eachRecord(({ partitionKey }: KinesisRequest) => partitionKey))
// @ts-expect-error a function of another source's records
objects.handler(eachRecord(({ logGroup }: LogsRequest) => logGroup))
// @ts-expect-error a function of another source's records
delivery.handler(eachRecord(({ change }: DynamoDbStreamRequest) => change))
// @ts-expect-error a function of another source's records
lines.handler(eachRecord(({ recordId }: FirehoseRequest) => recordId))
// @ts-expect-error a function of another source's records
changes.handler(eachRecord(({ bucket }: S3Request) => bucket))
// @ts-expect-error Y2: a chain for another source's records
streamChain.handler(eachRecord(middy<KafkaRequest>().handler(({ topic }) => topic)))
streamChain.handler(
  eachRecord(
    middy<KinesisRequest>()
      .use(validate({ data: z.object({ n: z.number() }) }))
      .handler(({ data, partitionKey }) => [data.n, partitionKey]),
  ),
)
middy()
  .use(kinesis())
  .use(validate({ data }))
  // @ts-expect-error Y5: a batch is no request
  .handler((batch) => String(batch.raw))
streamChain.handler(
  // @ts-expect-error Y5: a record of a stream has no query
  eachRecord(
    middy()
      .use(validate({ query }))
      .handler((request) => request),
  ),
)
middy()
  .use(kinesis())
  .use(kafka())
  // @ts-expect-error two normalizers
  .handler(eachRecord(({ topic }) => topic))

// An event of EventBridge is typed by its detail type, and by a schema for its data.
middy()
  .use(eventBridge<{ 'Order Placed': { order: number }; 'Order Cancelled': { reason: string } }>())
  .handler((request) => {
    same<Equal<typeof request.detailType, 'Order Placed' | 'Order Cancelled'>>()
    // @ts-expect-error only one of them has it
    request.data.order
    if (request.detailType === 'Order Placed') same<Equal<typeof request.data, { order: number }>>()
    else same<Equal<typeof request.data, { reason: string }>>()
  })
middy()
  .use(eventBridge())
  .use(validate({ data: z.object({ order: z.number() }) }))
  .handler(({ data, detailType, id }) => {
    same<Equal<typeof data, { order: number }>>()
    same<Equal<typeof detailType, string>>()
    return id
  })
middy()
  .use(eventBridge())
  .use(validate({ query }))
  // @ts-expect-error Y5: an event has no query
  .handler((request) => String(request.raw))

// Every request has an id; nobody delivers HTTP again.
middy()
  .use(alb())
  .handler(({ id }) => same<Equal<typeof id, undefined>>())
