import { createHmac, randomUUID } from 'node:crypto'
import {
  BadRequestError,
  type HttpRequest,
  type InputOf,
  type ItemOf,
  NotFoundError,
  type Patch,
  type SqsRequest,
  respond,
} from 'clearskies-middy'
import type { ShopContext } from './app.ts'
import type { OrderMessage, Product } from './models.ts'

/** What all sources have in common: data. A handler that needs no more works behind each of them. */
interface AnyRequest {
  readonly data: unknown
}

export async function createProduct({ data }: AnyRequest, { backends: { products } }: ShopContext) {
  return products.create(data as InputOf<typeof Product>)
}

export async function readProduct({ pathParameters }: HttpRequest, { backends: { products } }: ShopContext) {
  return (await products.find(productKey(pathParameters))) ?? notFound()
}

export async function listProducts({ query }: HttpRequest, { backends: { products } }: ShopContext) {
  const author = query.get('author')
  if (author === null) throw new BadRequestError('Which author? Ask for /products?author=…')
  return products
    .where('author', '=', author)
    .sortBy('title')
    .limit(Number(query.get('limit') ?? 20))
    .after(query.get('after'))
    .page()
}

export async function updateProduct(
  { pathParameters, data }: HttpRequest,
  { backends: { products } }: ShopContext,
) {
  return products.update(
    productKey(pathParameters),
    data as Patch<ItemOf<typeof Product>, 'author' | 'title'>,
  )
}

export async function deleteProduct(
  { pathParameters }: HttpRequest,
  { backends: { products } }: ShopContext,
) {
  const deleted = await products.delete(productKey(pathParameters))
  return deleted === undefined ? notFound() : respond.noContent()
}

export async function placeOrder({ data }: AnyRequest, { backends, secrets }: ShopContext) {
  const { author, title, quantity = 1 } = data as { author: string; title: string; quantity?: number }
  if ((await backends.products.find({ author, title })) === undefined) notFound()
  const placedAt = new Date().toISOString()
  const order = await backends.orders.create({ id: randomUUID(), author, title, quantity, placedAt })
  await backends.orderQueue.create({
    id: order.id,
    signature: sign(order.id, await secrets.get('/shop/signing-key')),
  })
  return respond(order, { status: 202 })
}

export async function readOrder({ pathParameters }: HttpRequest, { backends: { orders } }: ShopContext) {
  return (await orders.find({ id: pathParameters['id'] ?? '' })) ?? notFound()
}

/** One record of the queue. What throws here fails this record alone; SQS brings it again, and at last puts it aside. */
export async function workOrder(
  { data }: SqsRequest,
  { backends: { orders, events }, secrets }: ShopContext,
) {
  const { id, signature } = data as InputOf<typeof OrderMessage>
  if (signature !== sign(id, await secrets.get('/shop/signing-key')))
    throw new Error('The order is not from this shop')
  const { title, placedAt } = await orders.update({ id }, { state: 'worked' })
  await events.put('Order Worked', { id, title, placedAt })
}

function productKey({ author = '', title = '' }: Readonly<Record<string, string>>) {
  return { author, title }
}

function sign(id: string, key: string): string {
  return createHmac('sha256', key).update(id).digest('hex')
}

function notFound(): never {
  throw new NotFoundError('There is no such thing in this shop')
}
