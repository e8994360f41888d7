import { model } from 'clearskies-middy/backends/model'
import * as z from 'zod'

export const Product = model({
  name: () => process.env['PRODUCTS_TABLE'] ?? 'products',
  key: ['author', 'title'],
  indexes: { byGenre: { partition: 'genre', sort: 'title' } },
  schema: z.object({
    author: z.string().min(1),
    title: z.string().min(1),
    genre: z.string().optional(),
    price: z.number().nonnegative(),
  }),
})

export const Order = model({
  name: 'orders',
  key: ['id'],
  schema: z.object({
    id: z.string(),
    author: z.string(),
    title: z.string(),
    quantity: z.number().int().positive(),
    state: z.enum(['placed', 'worked']).default('placed'),
    placedAt: z.iso.datetime(),
  }),
})

/** What the order endpoint puts on the queue: which order, and a signature that only the shop can make. */
export const OrderMessage = model({
  name: () => String(process.env['ORDERS_QUEUE_URL']),
  schema: z.object({ id: z.string(), signature: z.string() }),
})

/** What the catalogue in SQL has of a product: a projection, which follows the table's stream. */
export const CatalogueEntry = model({
  name: 'catalogue',
  key: ['author', 'title'],
  schema: z.object({ author: z.string(), title: z.string(), price: z.number() }),
})

/** A page that listens by a WebSocket. The table forgets it when its connection must have ended. */
export const Listener = model({
  name: () => process.env['LISTENERS_TABLE'] ?? 'listeners',
  key: ['channel', 'connectionId'],
  schema: z.object({ channel: z.string(), connectionId: z.string(), expiresAt: z.number().int() }),
})
