import { type HttpRequest, type InputOf, type ItemOf, ValidationError, respond } from 'clearskies-middy'
import type { ShopContext } from './app.ts'
import { placeOrder } from './handlers.ts'
import { liveScript } from './live-page.ts'
import type { Order, Product } from './models.ts'

/** The shop as a page: plain HTML and forms; a script only shows what has changed since. */
export async function showShop({ query, cookies, basePath }: HttpRequest, { backends }: ShopContext) {
  const author = query.get('author') ?? 'Ursula K. Le Guin'
  const [products, orders] = await Promise.all([
    backends.products.where('author', '=', author).sortBy('title').limit(50).all(),
    backends.orders.query().sortBy('placedAt', 'desc').limit(20).page(),
  ])
  const message = cookies['message']
  return respond.html(page({ basePath, author, products, orders: orders.items, message }), {
    headers: { 'cache-control': 'no-store' },
    // Shown once.
    cookies: message === undefined ? [] : [messageCookie(basePath, '', 0)],
  })
}

export async function addProduct(request: HttpRequest, { backends: { products } }: ShopContext) {
  const { author = '', title = '', price } = fieldsOf(request)
  try {
    await products.create({ author, title, price: Number(price) } satisfies InputOf<typeof Product>)
  } catch (error) {
    if (error instanceof ValidationError)
      return backTo(request, author, 'An author, a title and a price are needed')
    throw error
  }
  return backTo(request, author, `"${title}" is in the shop now`)
}

export async function orderProduct(request: HttpRequest, context: ShopContext) {
  const { author = '', title = '' } = fieldsOf(request)
  await placeOrder({ data: { author, title } }, context)
  return backTo(request, author, `"${title}" is ordered`)
}

export function showLogo() {
  return respond(Buffer.from(logo, 'base64'), {
    headers: { 'content-type': 'image/png', 'cache-control': 'public, max-age=31536000, immutable' },
  })
}

/** What a form sends. */
function fieldsOf(request: HttpRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(request.text()))
}

/** After a form the page is asked for anew, so that going back sends nothing twice. */
function backTo({ basePath }: HttpRequest, author: string, message: string) {
  return respond.redirect(`${basePath}/?author=${encodeURIComponent(author)}`, 303, {
    cookies: [messageCookie(basePath, message)],
  })
}

function messageCookie(basePath: string, value: string, maxAge = 60) {
  return { name: 'message', value, maxAge, path: `${basePath}/`, httpOnly: true, sameSite: 'Lax' } as const
}

interface View {
  /** What stands in front of every path: the stage of a REST API on its own domain. */
  readonly basePath: string
  readonly author: string
  readonly products: readonly ItemOf<typeof Product>[]
  readonly orders: readonly ItemOf<typeof Order>[]
  readonly message: string | undefined
}

function page({ basePath, author, products, orders, message }: View): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>The shop</title>
        <link rel="icon" href="${basePath}/logo.png" />
        <style>
          body {
            font:
              16px/1.5 system-ui,
              sans-serif;
            margin: 2rem auto;
            max-width: 46rem;
            padding: 0 1rem;
          }
          table {
            border-collapse: collapse;
            width: 100%;
          }
          td,
          th {
            border-bottom: 1px solid #ddd;
            padding: 0.3rem;
            text-align: left;
          }
          .message {
            background: #e8f4e8;
            padding: 0.5rem 1rem;
          }
        </style>
      </head>
      <body>
        <h1><img src="${basePath}/logo.png" alt="" width="32" height="32" /> The shop</h1>
        ${message === undefined ? [] : [html`<p class="message" role="status">${message}</p>`]}
        <h2>Books by ${author}</h2>
        <table id="products">
          ${products.map(
            ({ title, price }) =>
              html`<tr>
                <td>${title}</td>
                <td>${price.toFixed(2)}</td>
                <td>
                  <form method="post" action="${basePath}/order">
                    <input type="hidden" name="author" value="${author}" />
                    <input type="hidden" name="title" value="${title}" />
                    <button aria-label="Order ${title}">Order</button>
                  </form>
                </td>
              </tr>`,
          )}
        </table>
        <h2>Add a book</h2>
        <form id="add" method="post" action="${basePath}/add">
          <label>Author <input name="author" value="${author}" required /></label>
          <label>Title <input name="title" required /></label>
          <label>Price <input name="price" type="number" step="0.01" min="0" required /></label>
          <button>Add</button>
        </form>
        ${live(process.env['LIVE_URL'], process.env['STREAMS_URL'])}
        <h2>Orders</h2>
        <table id="orders">
          ${orders.map(
            ({ id, title, state, placedAt }) =>
              html`<tr data-order="${id}">
                <td>${title}</td>
                <td>${placedAt}</td>
                <td class="state">${state}</td>
              </tr>`,
          )}
        </table>
      </body>
    </html>`.text
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

/** HTML that is made of trusted parts: everything else in it is text. */
class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | Html | readonly Html[]

function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const filled = parts.map((part) => {
    if (typeof part === 'string') return escaped(part)
    return part instanceof Html ? part.text : part.map(({ text }) => text).join('')
  })
  return new Html(String.raw({ raw: strings }, ...filled))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string)
}

/** A small picture of a book. */
const logo =
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAJ0lEQVR42mNgoBaQs8n7D8M2eVsI4lEDRg0YAgb8+vWVIB6EBpALAK9HniUFKUnhAAAAAElFTkSuQmCC'
