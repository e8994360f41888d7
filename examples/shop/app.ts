import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import type { Backends, HttpRequest, Middleware } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { backends } from 'clearskies-middy/middleware/backends'
import { type Secrets, parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { validate } from 'clearskies-middy/middleware/validate'
import { alb } from 'clearskies-middy/normalizers/alb'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import {
  createProduct,
  deleteProduct,
  listProducts,
  placeOrder,
  readOrder,
  readProduct,
  updateProduct,
  workOrder,
} from './handlers.ts'
import { CatalogueEntry, Order, OrderMessage, Product } from './models.ts'
import { type Database, ordersDatabase } from './orders-database.ts'
import { addProduct, orderProduct, showLogo, showShop } from './page.ts'
import { newOrder, orderKey, productKey, productPage, productPatch } from './requests.ts'
import { checked, router } from './router.ts'
import { EventBus } from './shop-events.ts'

/** The functions that no caller waits for, and those of live news. */
export { nightly, projector } from './background.ts'
export { live, teller } from './live.ts'

const shopBackends = {
  products: new DynamoDbBackend(Product),
  orders: ({ db }: { readonly db: Database }) => new SqlBackend(Order, { db }),
  catalogue: ({ db }: { readonly db: Database }) => new SqlBackend(CatalogueEntry, { db }),
  orderQueue: new SqsBackend(OrderMessage),
  events: new EventBus(),
}

/** What every handler of the shop finds in its context. */
export interface ShopContext {
  readonly secrets: Secrets
  readonly backends: Backends<typeof shopBackends>
}

export const secrets = parameterStore()
export const stores = backends(shopBackends)

/** What the shop answers, whatever stores its data. */
export const routes = router<ShopContext>({
  'GET /': showShop,
  'GET /logo.png': showLogo,
  'POST /add': addProduct,
  'POST /order': orderProduct,
  'GET /products': checked({ query: productPage }, listProducts),
  'POST /products': checked({ data: Product.schema }, createProduct),
  'GET /products/{author}/{title}': checked({ pathParameters: productKey }, readProduct),
  'PATCH /products/{author}/{title}': checked(
    { pathParameters: productKey, data: productPatch },
    updateProduct,
  ),
  'DELETE /products/{author}/{title}': checked({ pathParameters: productKey }, deleteProduct),
  'POST /orders': checked({ data: newOrder }, placeOrder),
  'GET /orders/{id}': checked({ pathParameters: orderKey }, readOrder),
})

function shop<TRequest extends HttpRequest>(normalizer: Middleware<TRequest>) {
  return middy().use(normalizer).use(secrets).use(ordersDatabase).use(stores).handler(routes)
}

/** The same handlers behind every source. */
export const albHandler = shop(alb())
export const restApiHandler = shop(restApi())
export const httpApiHandler = shop(httpApi())
export const createProductHandler = middy()
  .use(invocation())
  .use(secrets)
  .use(ordersDatabase)
  .use(stores)
  .use(validate({ data: Product.schema }))
  .handler(createProduct)
export const worker = middy()
  .use(sqs())
  .use(secrets)
  .use(ordersDatabase)
  .use(stores)
  .handler(
    eachRecord(
      middy<unknown, unknown, Error, Context & ShopContext>()
        .use(validate({ data: OrderMessage.schema }))
        .handler(workOrder),
    ),
  )
