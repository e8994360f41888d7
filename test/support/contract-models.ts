import { model } from 'clearskies-middy'
import { randomUUID } from 'node:crypto'
import { z } from 'zod'

/** No two tests have a table in common, and no two runs either. */
export const uniqueName = (name: string): string => `${name}-${randomUUID().slice(0, 13)}`

const ProductSchema = z.object({
  author: z.string(),
  title: z.string(),
  genre: z.string().optional(),
  price: z.number().optional(),
  stock: z.number().nullish(),
  available: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
  details: z.object({ pages: z.number(), isbn: z.string().optional() }).optional(),
})

/** Books by author and title, and by genre and price. */
export const productModel = () =>
  model({
    name: uniqueName('products'),
    key: ['author', 'title'],
    indexes: { byGenre: { partition: 'genre', sort: 'price' } },
    schema: ProductSchema,
  })

/** What one row of {@link productModel} is. */
export type Product = z.output<typeof ProductSchema>

/** Counters with one key column, a version and a time to expire. */
export const counterModel = () =>
  model({
    name: uniqueName('counters'),
    key: ['id'],
    schema: z.object({
      id: z.string(),
      count: z.number(),
      note: z.string().optional(),
      version: z.number().optional(),
      expires: z.number().optional(),
    }),
  })

/** Every kind of column beside text and numbers. */
export const recordModel = () =>
  model({
    name: uniqueName('records'),
    key: ['id', 'at'],
    schema: z.object({
      id: z.string(),
      at: z.number(),
      big: z.bigint().optional(),
      day: z.date().optional(),
      labels: z.set(z.string()).optional(),
    }),
  })
