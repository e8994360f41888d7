import {
  ConflictError,
  type HttpRequest,
  type ItemOf,
  NotFoundError,
  ValidationError,
  respond,
} from 'clearskies-middy'
import type * as z from 'zod'
import type { ShopContext } from './app.ts'
import { placeOrder } from './handlers.ts'
import { Html, html } from './html.ts'
import { liveScript, shortTime } from './live-page.ts'
import { type Order, type Product, bookName } from './models.ts'
import { productForm, productKey } from './requests.ts'
import { style } from './style.ts'

/** The author whose books the page shows first. */
const shownAuthor = bookName.catch('Ursula K. Le Guin')

/** The shop as a page: plain HTML and forms; a script only shows what has changed since. */
export async function showShop({ query, cookies, basePath }: HttpRequest, { backends }: ShopContext) {
  const author = shownAuthor.parse(query.get('author'))
  const [authors, products, orders] = await Promise.all([
    listAuthors(backends),
    backends.products.where('author', '=', author).sortBy('title').limit(50).all(),
    backends.orders.query().sortBy('placedAt', 'desc').limit(20).page(),
  ])
  const message = cookies['message']
  return respond.html(page({ basePath, authors, author, products, orders: orders.items, message }), {
    headers: { 'cache-control': 'no-store' },
    // Shown once.
    cookies: message === undefined ? [] : [messageCookie(basePath, '', 0)],
  })
}

/**
 * The authors of the first 500 books. No key of the products gives them, and the catalogue, which follows the products, does.
 * The page does without where it cannot be read.
 */
async function listAuthors({ catalogue }: ShopContext['backends']): Promise<readonly string[]> {
  try {
    const entries = await catalogue.query().sortBy('author').limit(500).all()
    return [...new Set(entries.map(({ author }) => author))]
  } catch {
    return []
  }
}

export const addProduct = form(productForm, async (product, { backends: { products } }) => {
  await products.create(product)
  return `"${product.title}" is in the shop now`
})

export const orderProduct = form(productKey, async (key, context) => {
  await placeOrder({ data: { ...key, quantity: 1 } }, context)
  return `"${key.title}" is ordered`
})

/** A form whose answer is the page, with a message: what was done, or why not. */
function form<TFields extends z.output<typeof productKey>>(
  schema: z.ZodType<TFields>,
  submit: (fields: TFields, context: ShopContext) => Promise<string>,
) {
  return async (request: HttpRequest, context: ShopContext) => {
    const sent = Object.fromEntries(new URLSearchParams(request.text()))
    const { success, data, error } = schema.safeParse(sent)
    if (!success) return backTo(request, sent['author'], findings(error))
    const message = await submit(data, context).catch((error: unknown) => refusal(error, data.title))
    return backTo(request, data.author, message)
  }
}

/** What the visitor did not get right. */
function findings({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}

/** Why the shop did not do it. Anything else is no message for a visitor, and goes on. */
function refusal(error: unknown, title: string): string {
  if (error instanceof ConflictError) return `"${title}" is in the shop already`
  if (error instanceof NotFoundError) return `"${title}" is not in the shop`
  if (error instanceof ValidationError) return error.message
  throw error
}

export function showLogo() {
  return respond(Buffer.from(logo, 'base64'), {
    headers: { 'content-type': 'image/png', 'cache-control': 'public, max-age=31536000, immutable' },
  })
}

/** After a form the page is asked for anew, so that going back sends nothing twice. */
function backTo({ basePath }: HttpRequest, author: string | undefined, message: string) {
  const query = new URLSearchParams({ author: shownAuthor.parse(author) })
  return respond.redirect(`${basePath}/?${query.toString()}`, 303, {
    cookies: [messageCookie(basePath, message)],
  })
}

function messageCookie(basePath: string, value: string, maxAge = 60) {
  return { name: 'message', value, maxAge, path: `${basePath}/`, httpOnly: true, sameSite: 'Lax' } as const
}

interface View {
  /** What stands in front of every path: the stage of a REST API on its own domain. */
  readonly basePath: string
  readonly authors: readonly string[]
  readonly author: string
  readonly products: readonly ItemOf<typeof Product>[]
  readonly orders: readonly ItemOf<typeof Order>[]
  readonly message: string | undefined
}

function page({ basePath, authors, author, products, orders, message }: View): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>The shop</title>
        <link rel="icon" href="${basePath}/logo.png" />
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <h1><img src="${basePath}/logo.png" alt="" width="32" height="32" /> The shop</h1>
        ${message === undefined ? [] : [html`<p class="message" role="status">${message}</p>`]}
        <nav id="authors" aria-label="Authors">
          ${authors.map(
            (name) => html`<a href="${basePath}/?author=${encodeURIComponent(name)}">${name}</a>`,
          )}
        </nav>
        <form id="find" action="${basePath}/">
          <label>Books by <input name="author" type="search" required placeholder="an author" /></label>
          <button>Show</button>
        </form>
        <h2>Books by ${author}</h2>
        <table id="products">
          ${products.map((product) => productRow(basePath, product))}
        </table>
        ${products.length > 0 ? [] : [html`<p>There is none in the shop.</p>`]}
        <h2>Add a book</h2>
        <form id="add" method="post" action="${basePath}/add">
          <label>Author <input name="author" value="${author}" required maxlength="200" /></label>
          <label>Title <input name="title" required maxlength="200" /></label>
          <label>Price <input name="price" type="number" step="0.01" min="0" required /></label>
          <button>Add</button>
        </form>
        ${live(process.env['LIVE_URL'], process.env['STREAMS_URL'])}
        <h2>Orders</h2>
        <table id="orders">
          <thead>
            <tr>
              <th>Book</th>
              <th>Ordered</th>
              <th title="placed: waits for the worker; worked: done">State</th>
            </tr>
          </thead>
          <tbody>
            ${orders.map(orderRow)}
          </tbody>
        </table>
      </body>
    </html>`.text
}

function productRow(basePath: string, { author, title, price }: ItemOf<typeof Product>): Html {
  return html`<tr>
    <td>${title}</td>
    <td>${price.toFixed(2)}</td>
    <td>
      <form method="post" action="${basePath}/order">
        <input type="hidden" name="author" value="${author}" />
        <input type="hidden" name="title" value="${title}" />
        <button aria-label="Order ${title}">Order</button>
      </form>
    </td>
  </tr>`
}

function orderRow({ id, title, state, placedAt }: ItemOf<typeof Order>): Html {
  return html`<tr data-order="${id}">
    <td>${title}</td>
    <td>${shortTime(placedAt)}</td>
    <td class="state">${state}</td>
  </tr>`
}

/** News by a WebSocket and orders by a stream, where there is one. */
function live(url: string | undefined, streams = ''): Html | [] {
  if (url === undefined) return []
  return html`<section id="live" data-url="${url}" data-streams="${streams}" aria-live="polite">
    <p id="placed"></p>
    <p id="catalogue"></p>
    <p id="night"></p>
    <script type="module">
      ${new Html(liveScript())}
    </script>
  </section>`
}

/** A small picture of a book. */
const logo =
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAJ0lEQVR42mNgoBaQs8n7D8M2eVsI4lEDRg0YAgb8+vWVIB6EBpALAK9HniUFKUnhAAAAAElFTkSuQmCC'
