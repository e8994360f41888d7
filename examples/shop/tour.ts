import { once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import type { HttpRequest, Middleware } from 'clearskies-middy'
import { alb } from 'clearskies-middy/normalizers/alb'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { type Gateway, type PollInvocation, gateway, invoke } from 'clearskies-middy/testing'
import { explain } from './local/endpoints.ts'
import { maxReceiveCount } from './local/engines.ts'
import { type OpenShop, type ShopSource, openShop, shopSources } from './local/open-shop.ts'

const findings: { readonly what: string; readonly fine: boolean; readonly seen: string }[] = []

function check(what: string, fine: boolean, seen: unknown): void {
  findings.push({ what, fine, seen: typeof seen === 'string' ? seen : JSON.stringify(seen) })
}

interface Reply {
  readonly status: number
  readonly type: string
  readonly body: unknown
}

async function call(url: string, method: string, body?: unknown): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return { status: response.status, type, body: type.includes('json') ? (JSON.parse(text) as unknown) : text }
}

const product = { author: 'Stanisław Lem', title: 'Solaris: 100% Lem', genre: 'science fiction', price: 8.5 }
const productPath = `/products/${encodeURIComponent(product.author)}/${encodeURIComponent(product.title)}`

/** A product's life through one gateway: created, found, refused a second time, changed, deleted, gone. */
async function liveThrough({ url }: { readonly url: string }): Promise<Reply[]> {
  return [
    await call(`${url}/products`, 'POST', product),
    await call(`${url}/products`, 'POST', product),
    await call(`${url}${productPath}`, 'PATCH', { price: 7 }),
    await call(`${url}${productPath}`, 'GET'),
    await call(`${url}${productPath}`, 'DELETE'),
    await call(`${url}${productPath}`, 'GET'),
  ]
}

async function visitProducts({ gateways }: OpenShop): Promise<void> {
  const lives: Partial<Record<ShopSource, Reply[]>> = {}
  for (const source of shopSources) {
    const life = (lives[source] = await liveThrough(gateways[source]))
    check(
      `${source}: create, again, change, read, delete, read`,
      life.map(({ status }) => status).join() === '200,409,200,200,204,404',
      life.map(({ status }) => status).join(' '),
    )
    check(
      `${source}: what was changed is read`,
      isDeepStrictEqual(life[3]?.body, { ...product, price: 7 }),
      life[3]?.body,
    )
  }
  check(
    'the same requests give the same replies everywhere',
    shopSources.every((source) => isDeepStrictEqual(lives[source], lives.alb)),
    'replies compared',
  )
}

async function visitPages({ gateways }: OpenShop): Promise<void> {
  for (const source of shopSources) {
    const titles: string[] = []
    let after: string | undefined
    do {
      const query = new URLSearchParams({
        author: 'Ursula K. Le Guin',
        limit: '2',
        ...(after !== undefined && { after }),
      })
      const { body } = await call(`${gateways[source].url}/products?${query.toString()}`, 'GET')
      const page = body as { items: { title: string }[]; next?: string }
      titles.push(...page.items.map(({ title }) => title))
      after = page.next
    } while (after !== undefined)
    check(
      `${source}: pages of two give every product once`,
      titles.join() === 'A Wizard of Earthsea,The Dispossessed,The Left Hand of Darkness',
      titles.length,
    )
  }
}

/** What a source cannot carry alike is left out: on an ALB in single-value mode, all but the last of repeated values. */
function normalized(request: HttpRequest) {
  const { method, path, query, cookies, data, clientIp, hasBody } = request
  return {
    method,
    path,
    query: [...query],
    cookies: { ...cookies },
    data,
    clientIp,
    hasBody,
    accept: request.header('Accept'),
  }
}

async function compareRequests(): Promise<void> {
  const echo = (normalizer: Middleware<HttpRequest>) => middy().use(normalizer).handler(normalized)
  const normalizers = { alb: alb(), 'rest-api': restApi(), 'http-api': httpApi() }
  const seen: unknown[] = []
  for (const source of shopSources) {
    await using server = await gateway(source, echo(normalizers[source] as Middleware<HttpRequest>))
    const response = await fetch(`${server.url}/products/caf%C3%A9%20au%20lait?q=a+b%26c&empty=`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        cookie: 'session=x%20y; theme=dark',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name: 'Łódź', prices: [1, 2.5] }),
    })
    seen.push(await response.json())
  }
  check(
    'one request is normalized alike by every source',
    seen.every((one) => isDeepStrictEqual(one, seen[0])),
    seen[0],
  )
}

async function sendBadInput({ gateways }: OpenShop): Promise<void> {
  const failing = middy()
    .use(httpApi({ logger: { error() {}, warn() {} } }))
    .handler(() => {
      throw new Error('the password is hunter2')
    })
  for (const source of shopSources) {
    const { url } = gateways[source]
    const malformed = await call(`${url}/products`, 'POST', '{"author": oops')
    check(
      `${source}: malformed JSON is the client's fault`,
      malformed.status === 400 && malformed.type.startsWith('application/problem+json'),
      malformed.body,
    )
    const unknown = await call(`${url}/nowhere`, 'GET')
    check(
      `${source}: an unknown route is not found`,
      unknown.status === 404 && unknown.type.startsWith('application/problem+json'),
      unknown.status,
    )
  }
  await using server = await gateway('http-api', failing)
  const failed = await call(server.url, 'GET')
  check(
    'an unexpected error tells the caller nothing',
    failed.status === 500 && !JSON.stringify(failed.body).includes('hunter2'),
    failed.body,
  )
}

async function invokeDirectly({ gateways }: OpenShop): Promise<void> {
  const { createProductHandler } = await import('./app.ts')
  const created = await invoke(createProductHandler, product)
  check('a direct invocation runs the same handler', isDeepStrictEqual(created, product), created)
  await call(`${gateways.alb.url}${productPath}`, 'DELETE')
}

interface News {
  readonly type: string
  readonly id?: string
  readonly books?: number
}

/** A page that listens: what it hears, and the first news that fit, if they come in time. */
async function listen(url: string) {
  const socket = new WebSocket(url)
  const heard: News[] = []
  const changed = new EventTarget()
  socket.addEventListener('message', ({ data }) => {
    heard.push(JSON.parse(String(data)) as News)
    changed.dispatchEvent(new Event('news'))
  })
  await once(socket, 'open')
  const signal = AbortSignal.timeout(30_000)
  async function first(fits: (news: News) => boolean): Promise<News | undefined> {
    while (!heard.some(fits) && !signal.aborted)
      await once(changed, 'news', { signal }).catch(() => undefined)
    return heard.find(fits)
  }
  const close = async (): Promise<void> => {
    socket.close()
    await once(socket, 'close')
  }
  return { first, close }
}

async function hearNews({ gateways, live, night }: OpenShop): Promise<void> {
  const { url } = gateways['http-api']
  const page = await listen(live.url)
  const more = ['Eden', 'Fiasco', 'Summa Technologiae'].map((title) => ({ ...product, title }))
  for (const book of more) await call(`${url}/products`, 'POST', book)
  const grown = await page.first(({ books = 0 }) => books === 7)
  check('the catalogue follows the stream of the products', grown !== undefined, grown)
  for (const { author, title } of more)
    await call(`${url}/products/${encodeURIComponent(author)}/${encodeURIComponent(title)}`, 'DELETE')

  const { body } = await call(`${url}/orders`, 'POST', { author: 'Octavia E. Butler', title: 'Kindred' })
  const { id } = body as { id: string }
  const worked = await page.first((news) => news.type === 'Order Worked' && news.id === id)
  check('an order that is worked is told by WebSocket', worked !== undefined, worked)

  const report = await night()
  const told = await page.first(({ type }) => type === 'Night Reported')
  check(
    'the report of the night is told',
    isDeepStrictEqual(told, { type: 'Night Reported', ...Object(report) }),
    told,
  )
  await page.close()
}

/** A stream of lines, read as far as one that fits. */
async function lineOf(
  url: string,
  fits: RegExp,
  onFirst: () => Promise<unknown>,
): Promise<string | undefined> {
  const { body } = await fetch(url, { signal: AbortSignal.timeout(20_000) })
  let text = ''
  for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    if (text === '') await onFirst()
    text += piece
    const line = fits.exec(text)?.[0]
    if (line !== undefined) return line
  }
  return undefined
}

async function takeStreams({ gateways, streams }: OpenShop): Promise<void> {
  const { streamHandler } = await import('./streaming.ts')
  await using restApi = await gateway('rest-api', streamHandler, { timeout: 5000 })
  const sources: readonly (readonly [string, Pick<Gateway, 'url'>])[] = [
    ['a function URL', streams],
    ['a REST API', restApi],
  ]
  for (const [name, { url }] of sources) {
    const exported = await fetch(`${url}/export?author=${encodeURIComponent('Ursula K. Le Guin')}`)
    const lines = (await exported.text()).trimEnd().split('\n')
    const titles = lines.map((line) => (JSON.parse(line) as { title: string }).title)
    check(`${name} streams an export, a line of JSON each`, titles.length > 1, titles)
    let id = ''
    const seen = await lineOf(`${url}/live`, /event: order\n.*\ndata: .*/, async () => {
      const order = { author: 'Octavia E. Butler', title: 'Kindred' }
      ;({ id } = (await call(`${gateways['http-api'].url}/orders`, 'POST', order)).body as { id: string })
    })
    check(
      `${name} streams an order that is placed meanwhile`,
      id !== '' && seen?.includes(id) === true,
      seen?.replaceAll('\n', ' '),
    )
  }
}

const good = 18
const poisoned = 2

async function orderAndWork(
  { gateways, engines }: OpenShop,
  batches: readonly PollInvocation[],
): Promise<void> {
  const client = new SQSClient({})
  const orders: string[] = []
  const order = async (index: number): Promise<void> => {
    const { url } = gateways[shopSources[index % shopSources.length] as ShopSource]
    const { status, body } = await call(`${url}/orders`, 'POST', {
      author: 'Octavia E. Butler',
      title: 'Kindred',
      quantity: 1 + (index % 3),
    })
    if (status === 202) orders.push((body as { id: string }).id)
  }
  const poison = async (MessageBody: string): Promise<string> =>
    (await client.send(new SendMessageCommand({ QueueUrl: engines.queueUrl, MessageBody }))).MessageId ?? ''
  const [, malformedId, forgedId] = await Promise.all([
    Promise.all(Array.from({ length: good }, (_, index) => order(index))),
    poison('{"id": "malformed'),
    poison(JSON.stringify({ id: 'forged', signature: '0'.repeat(64) })),
  ])
  check('orders are accepted through every gateway', orders.length === good, orders.length)

  const deadline = Date.now() + 60_000
  while ((await countDead(client, engines.deadLetterQueueUrl)) < poisoned && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 100))

  const runs = new Map<string, number>()
  const worked: string[] = []
  for (const { messageIds, failed } of batches) {
    for (const id of messageIds) runs.set(id, (runs.get(id) ?? 0) + 1)
    worked.push(...messageIds.filter((id) => !failed.includes(id)))
  }
  check(
    'each good order is worked once',
    worked.length === good && new Set(worked).size === good,
    worked.length,
  )
  const states = await Promise.all(
    orders.map(
      async (id) => (await call(`${gateways.alb.url}/orders/${id}`, 'GET')).body as { state: string },
    ),
  )
  check(
    'each good order is marked as worked',
    states.every(({ state }) => state === 'worked'),
    states.length,
  )
  check(
    `each poisoned order is tried ${maxReceiveCount} times`,
    [malformedId, forgedId].every((id) => runs.get(id) === maxReceiveCount),
    [malformedId, forgedId].map((id) => runs.get(id)),
  )
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl: engines.deadLetterQueueUrl, MaxNumberOfMessages: 10 }),
  )
  check(
    'the poisoned orders are in the dead-letter queue',
    Messages.length === poisoned &&
      Messages.every(({ MessageId = '' }) => [malformedId, forgedId].includes(MessageId)),
    Messages.length,
  )
  check('nothing is left in the queue', (await countDead(client, engines.queueUrl)) === 0, 0)
  client.destroy()
}

async function countDead(client: SQSClient, QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  )
  return (
    Number(Attributes['ApproximateNumberOfMessages']) +
    Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
  )
}

if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) {
  process.stdout.write(
    'Opens the shop on embedded engines, visits all of it, and prints a line for each check.\n',
  )
  process.exit(0)
}
const batches: PollInvocation[] = []
// What fails on purpose below is logged by the handlers; the table says it better.
console.error = () => {}
const shop = await openShop({ onBatch: (batch) => batches.push(batch) }).catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`)
  process.exit(1)
})
try {
  await visitProducts(shop)
  await visitPages(shop)
  await compareRequests()
  await sendBadInput(shop)
  await invokeDirectly(shop)
  await orderAndWork(shop, batches)
  await hearNews(shop)
  await takeStreams(shop)
} finally {
  await shop.close()
}
for (const { what, fine, seen } of findings)
  process.stdout.write(
    `${fine ? 'ok  ' : 'FAIL'}  ${what.padEnd(56)} ${seen.length > 90 ? `${seen.slice(0, 89)}…` : seen}\n`,
  )
const failed = findings.filter(({ fine }) => !fine).length
process.stdout.write(`\n${findings.length} checks, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)
