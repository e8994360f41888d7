import { createHmac, randomUUID } from 'node:crypto'
import { type InputOf, NotFoundError, respond } from 'clearskies-middy'
import type { ShopContext } from './app.ts'
import type { OrderMessage, Product } from './models.ts'
import type { NewOrder, OrderKey, ProductKey, ProductPage, ProductPatch } from './requests.ts'

/** What all sources have in common: data. A handler that needs no more works behind each of them. */
interface WithData<T> {
  readonly data: T
}

interface WithPath<T> {
  readonly pathParameters: T
}

export async function createProduct(
  { data }: WithData<InputOf<typeof Product>>,
  { backends: { products } }: ShopContext,
) {
  return products.create(data)
}

export async function readProduct(
  { pathParameters }: WithPath<ProductKey>,
  { backends: { products } }: ShopContext,
) {
  return (await products.find(pathParameters)) ?? notFound()
}

export async function listProducts(
  { valid }: { readonly valid: { readonly query: ProductPage } },
  { backends: { products } }: ShopContext,
) {
  const { author, limit, after } = valid.query
  return products.where('author', '=', author).sortBy('title').limit(limit).after(after).page()
}

export async function updateProduct(
  { pathParameters, data }: WithPath<ProductKey> & WithData<ProductPatch>,
  { backends: { products } }: ShopContext,
) {
  return products.update(pathParameters, data)
}

export async function deleteProduct(
  { pathParameters }: WithPath<ProductKey>,
  { backends: { products } }: ShopContext,
) {
  const deleted = await products.delete(pathParameters)
  return deleted === undefined ? notFound() : respond.noContent()
}

export async function placeOrder({ data }: WithData<NewOrder>, { backends, secrets }: ShopContext) {
  const { author, title, quantity } = data
  if ((await backends.products.find({ author, title })) === undefined) notFound()
  const placedAt = new Date().toISOString()
  const order = await backends.orders.create({ id: randomUUID(), author, title, quantity, placedAt })
  await backends.orderQueue.create({
    id: order.id,
    signature: sign(order.id, await secrets.get('/shop/signing-key')),
  })
  return respond(order, { status: 202 })
}

export async function readOrder(
  { pathParameters }: WithPath<OrderKey>,
  { backends: { orders } }: ShopContext,
) {
  return (await orders.find(pathParameters)) ?? notFound()
}

/** One record of the queue. What throws here fails this record alone; SQS brings it again, and at last puts it aside. */
export async function workOrder(
  { data }: WithData<InputOf<typeof OrderMessage>>,
  { backends: { orders, events }, secrets }: ShopContext,
) {
  const { id, signature } = data
  if (signature !== sign(id, await secrets.get('/shop/signing-key')))
    throw new Error('The order is not from this shop')
  const { title, placedAt } = await orders.update({ id }, { state: 'worked' })
  await events.put('Order Worked', { id, title, placedAt })
}

function sign(id: string, key: string): string {
  return createHmac('sha256', key).update(id).digest('hex')
}

function notFound(): never {
  throw new NotFoundError('There is no such thing in this shop')
}
