import middy from '@middy/core'
import type { Backends, EventBridgeRequest, WebSocketRequest } from 'clearskies-middy'
import { ConnectionsBackend } from 'clearskies-middy/backends/connections'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { backends } from 'clearskies-middy/middleware/backends'
import { eventBridge } from 'clearskies-middy/normalizers/event-bridge'
import { webSocket } from 'clearskies-middy/normalizers/web-socket'
import { Listener } from './models.ts'

const stores = {
  listeners: new DynamoDbBackend(Listener, { ttl: 'expiresAt' }),
  /** Of another function than the one behind the API: it has to be told where the API is. */
  connections: () => new ConnectionsBackend({ endpoint: String(process.env['CONNECTIONS_ENDPOINT']) }),
}

interface LiveContext {
  readonly backends: Backends<typeof stores>
}

/** All pages listen to the same news. */
const channel = 'shop'

/** API Gateway ends a connection after two hours, and does not always tell that one has ended. */
const longestConnection = 2 * 60 * 60

/** Remembers who listens. */
export async function keepListener(
  { type, connectionId }: WebSocketRequest,
  { backends: { listeners } }: LiveContext,
) {
  const expiresAt = Math.floor(Date.now() / 1000) + longestConnection
  if (type === 'connect') await listeners.put({ channel, connectionId, expiresAt })
  if (type === 'disconnect') await listeners.delete({ channel, connectionId })
}

/** One event of the shop's bus: all who listen are told, and those who have left are forgotten. */
export async function tellListeners(
  { detailType, data }: EventBridgeRequest,
  { backends: { listeners, connections } }: LiveContext,
) {
  const listening = await listeners.where('channel', '=', channel).all()
  const ids = listening.map(({ connectionId }) => connectionId)
  const { sent, gone, failed } = await connections.broadcast(ids, { type: detailType, ...Object(data) })
  await Promise.all(gone.map((connectionId) => listeners.delete({ channel, connectionId })))
  return { sent: sent.length, gone: gone.length, failed: failed.length }
}

/** Behind the WebSocket API. */
export const live = middy().use(webSocket()).use(backends(stores)).handler(keepListener)

/** Behind a rule of the shop's bus. */
export const teller = middy().use(eventBridge()).use(backends(stores)).handler(tellListeners)
