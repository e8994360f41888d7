import middy from '@middy/core'
import type { Backends, DynamoDbStreamRequest, EventBridgeRequest, ItemOf } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { backends } from 'clearskies-middy/middleware/backends'
import { dynamodbStream } from 'clearskies-middy/normalizers/dynamodb-stream'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { eventBridge } from 'clearskies-middy/normalizers/event-bridge'
import { CatalogueEntry, Order, Product } from './models.ts'
import { type Database, ordersDatabase } from './orders-database.ts'
import { EventBus } from './shop-events.ts'

const stores = {
  catalogue: ({ db }: { readonly db: Database }) => new SqlBackend(CatalogueEntry, { db }),
  orders: ({ db }: { readonly db: Database }) => new SqlBackend(Order, { db }),
  events: new EventBus(),
}

interface BackgroundContext {
  readonly backends: Backends<typeof stores>
}

/** One change of a product: the catalogue in SQL follows. It may come again, and says the same then. */
export async function projectProduct(
  { keys, newItem }: DynamoDbStreamRequest<ItemOf<typeof Product>, 'author' | 'title'>,
  { backends: { catalogue, events } }: BackgroundContext,
) {
  const { author, title } = keys
  if (newItem === undefined) await catalogue.delete({ author, title })
  else await catalogue.put({ author, title, price: newItem.price })
  await events.put('Catalogue Changed', { books: await catalogue.query().count() })
}

/** Once a night: how many orders wait, and how many are done. */
export async function reportNight(
  _: EventBridgeRequest,
  { backends: { orders, events } }: BackgroundContext,
) {
  const [placed, worked] = await Promise.all([
    orders.where('state', '=', 'placed').count(),
    orders.where('state', '=', 'worked').count(),
  ])
  await events.put('Night Reported', { placed, worked })
  return { placed, worked }
}

/** Behind the stream of the products' table. */
export const projector = middy()
  .use(dynamodbStream({ model: Product }))
  .use(ordersDatabase)
  .use(backends(stores))
  .handler(eachRecord(projectProduct))

/** Behind a schedule. */
export const nightly = middy()
  .use(eventBridge())
  .use(ordersDatabase)
  .use(backends(stores))
  .handler(reportNight)
