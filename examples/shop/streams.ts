import { setTimeout } from 'node:timers/promises'
import { BadRequestError, type HttpRequest, respond } from 'clearskies-middy'
import type { ShopContext } from './app.ts'
import { router } from './router.ts'

/** All books of an author, one line of JSON each. Read page by page while the client takes them. */
export function exportProducts({ query }: HttpRequest, { backends: { products } }: ShopContext) {
  const author = query.get('author')
  if (author === null) throw new BadRequestError('Which author? Ask for /export?author=…')
  async function* lines() {
    for await (const product of products.where('author', '=', author ?? '').sortBy('title'))
      yield `${JSON.stringify(product)}\n`
  }
  return respond.stream(lines(), { headers: { 'content-type': 'application/x-ndjson' } })
}

/** Milliseconds between two looks at the table of the orders. */
const interval = 500

/** Orders as they are placed. A browser that connects again goes on behind the last that it has seen. */
export function liveOrders(request: HttpRequest, { backends: { orders } }: ShopContext) {
  const { signal } = request
  async function* events() {
    let last = request.header('last-event-id') ?? new Date().toISOString()
    // On Lambda the status leaves with the first piece. Its id is where a browser goes on that has seen no order yet.
    yield { retry: 1000, id: last }
    while (!signal.aborted) {
      for (const order of await orders.where('placedAt', '>', last).sortBy('placedAt').limit(50).all()) {
        last = order.placedAt
        yield { event: 'order', id: last, data: order }
      }
      await setTimeout(interval, undefined, { signal }).catch(() => undefined)
    }
  }
  // The page comes from another origin.
  return respond.events(events(), { keepAlive: 15, headers: { 'access-control-allow-origin': '*' } })
}

/** What streams, for sources that can: on others a stream without an end would never be answered. */
export const streamRoutes = router<ShopContext>({
  'GET /export': exportProducts,
  'GET /live': liveOrders,
})
