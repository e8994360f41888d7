import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import {
  type AnyHandler,
  type Gateway,
  type GatewayInvocation,
  type GatewayOptions,
  type GatewaySource,
  type PollInvocation,
  type Poller,
  type WebSocketGateway,
  gateway,
  invoke,
  poll,
  scheduledEvent,
  streamingRuntime,
  webSocketGateway,
} from 'clearskies-middy/testing'
import { Product } from '../models.ts'
import { type Engines, startEngines } from './engines.ts'

/** What may be said about a shop before it opens. */
export interface ShopOptions {
  readonly ports?: Partial<Record<ShopSource, number>>
  readonly onInvocation?: (invocation: GatewayInvocation) => void
  readonly onBatch?: (invocation: PollInvocation) => void
}

/** The gateways of the shop. */
export const shopSources = ['alb', 'rest-api', 'http-api'] as const satisfies readonly GatewaySource[]
export type ShopSource = (typeof shopSources)[number]

/** A shop that serves. */
export interface OpenShop {
  readonly engines: Engines
  readonly gateways: Readonly<Record<ShopSource, Gateway>>
  /** Where pages hear of news. */
  readonly live: WebSocketGateway
  /** What leaves as it is produced: the export, and orders as they are placed. */
  readonly streams: Gateway
  /** Calls what a schedule calls once a night, and gives its report. */
  night(): Promise<unknown>
  close(): Promise<void>
}

const routes = [
  '/',
  '/logo.png',
  '/add',
  '/order',
  '/products',
  '/products/{author}/{title}',
  '/orders',
  '/orders/{id}',
]

const seeds = [
  { author: 'Ursula K. Le Guin', title: 'The Dispossessed', genre: 'science fiction', price: 12 },
  { author: 'Ursula K. Le Guin', title: 'The Left Hand of Darkness', genre: 'science fiction', price: 11.5 },
  { author: 'Ursula K. Le Guin', title: 'A Wizard of Earthsea', genre: 'fantasy', price: 9 },
  { author: 'Octavia E. Butler', title: 'Kindred', genre: 'science fiction', price: 10 },
]

/** Starts the engines, the gateways and the queue's poller, in this order, and closes them in the other. */
export async function openShop({ ports = {}, onInvocation, onBatch }: ShopOptions = {}): Promise<OpenShop> {
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const engines = await startEngines()
    closers.push(() => engines.stop())
    // Loaded now, because the models read their tables' names and the SDK its endpoints from the environment.
    const { albHandler, httpApiHandler, restApiHandler, worker, ...background } = await import('../app.ts')
    const live = await openLive(background.live)
    closers.push(() => live.close())
    const streams = await openStreams()
    closers.push(() => streams.close())
    const night = (): Promise<unknown> => invoke(background.nightly, scheduledEvent({ name: 'nightly' }))
    const handlers = { alb: albHandler, 'rest-api': restApiHandler, 'http-api': httpApiHandler }
    const gateways: Partial<Record<ShopSource, Gateway>> = {}
    for (const source of shopSources) {
      const options: GatewayOptions = {
        port: ports[source] ?? 0,
        routes,
        // A REST API delivers bytes as text unless it is told which types are bytes.
        binaryMediaTypes: ['*/*'],
        ...(onInvocation && { onInvocation }),
      }
      const opened = await gateway(source, handlers[source], options)
      closers.push(() => opened.close())
      gateways[source] = opened
    }
    // Last, because it takes longest: what can go wrong at once has gone wrong by now.
    const { createOrdersTable } = await import('../orders-database.ts')
    const products = new DynamoDbBackend(Product)
    await createOrdersTable()
    if (engines.bus) engines.bus.deliver = (event) => invoke(background.teller, event)
    if (engines.productStream) engines.productStream.deliver = (event) => invoke(background.projector, event)
    await Promise.all(seeds.map((seed) => products.put(seed)))
    const poller: Poller = poll(engines.queueUrl, worker, {
      waitTime: 5,
      ...(onBatch && { onInvocation: onBatch }),
    })
    closers.push(() => poller.stop())
    return { engines, gateways: gateways as Record<ShopSource, Gateway>, live, streams, night, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The WebSocket API: pages find its address in the environment, and the function that tells them its management API. */
async function openLive(handler: AnyHandler): Promise<WebSocketGateway> {
  const live = await webSocketGateway(handler)
  process.env['LIVE_URL'] = live.url
  process.env['CONNECTIONS_ENDPOINT'] = live.endpoint
  return live
}

/** A function URL that streams: pages find its address in the environment. */
async function openStreams(): Promise<Gateway> {
  streamingRuntime()
  const { streamHandler } = await import('../streaming.ts')
  // A shop that closes waits for its streams, and a page connects again by itself.
  const streams = await gateway('function-url', streamHandler, { timeout: 5000 })
  process.env['STREAMS_URL'] = streams.url
  return streams
}
