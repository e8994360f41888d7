import { model } from 'clearskies-middy/backends/model'
import * as z from 'zod'

/** A name of an author or a book: a key of DynamoDB takes 1,024 bytes, and PostgreSQL no control characters. */
export const bookName = z
  .string()
  .min(1, 'is empty')
  .max(200, 'is too long')
  .regex(/^\P{Cc}*$/u, 'has control characters')

export const genre = z.string().min(1).max(200)
export const price = z.number().nonnegative().max(1_000_000)
export const quantity = z.number().int().positive().max(1000)

export const Product = model({
  name: () => process.env['PRODUCTS_TABLE'] ?? 'products',
  key: ['author', 'title'],
  indexes: { byGenre: { partition: 'genre', sort: 'title' } },
  schema: z.object({
    author: bookName,
    title: bookName,
    genre: genre.optional(),
    price,
  }),
})

export const Order = model({
  name: 'orders',
  key: ['id'],
  schema: z.object({
    id: z.string(),
    author: z.string(),
    title: z.string(),
    quantity,
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
