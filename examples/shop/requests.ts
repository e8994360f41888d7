import * as z from 'zod'
import { bookName, genre, price, quantity } from './models.ts'

/** What callers may send. Each schema stands in front of the handlers that take it. */
export const productKey = z.object({ author: bookName, title: bookName })

/** As a form sends it: an empty field is none. */
export const productForm = z.object({
  ...productKey.shape,
  price: z.string().trim().min(1, 'is empty').pipe(z.coerce.number()).pipe(price),
})

export const productPage = z.object({
  author: z.string('Which author? Ask for /products?author=…').min(1, 'Which author?'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional(),
})

export const productPatch = z
  .strictObject({ genre: genre.nullable(), price })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'Nothing to change')

export const newOrder = z.object({ ...productKey.shape, quantity: quantity.default(1) })

export const orderKey = z.object({ id: z.string().min(1) })

export type ProductKey = z.infer<typeof productKey>
export type ProductPage = z.infer<typeof productPage>
export type ProductPatch = z.infer<typeof productPatch>
export type NewOrder = z.infer<typeof newOrder>
export type OrderKey = z.infer<typeof orderKey>
