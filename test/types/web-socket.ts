// Compiled and never run: what webSocket() and taskToken() leave for the handler.
import middy from '@middy/core'
import {
  type WebSocketRequest,
  backends,
  httpApi,
  invocation,
  respond,
  validate,
  webSocket,
} from 'clearskies-middy'
import { type Broadcast, type Connection, ConnectionsBackend } from 'clearskies-middy/backends/connections'
import { type TaskContext, taskToken } from 'clearskies-middy/middleware/task-token'
import { z } from 'zod'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<T extends true>(..._: T extends true ? [] : [never]): void {}

export const plain = middy()
  .use(webSocket())
  .handler((request) => {
    same<Equal<typeof request, WebSocketRequest>>()
    same<Equal<typeof request.type, 'connect' | 'message' | 'disconnect'>>()
    same<Equal<typeof request.data, unknown>>()
    same<Equal<typeof request.connectedAt, Date>>()
    same<Equal<typeof request.disconnectCode, number | undefined>>()
    same<Equal<typeof request.subprotocols, string[]>>()
    // @ts-expect-error -- a WebSocket API has no methods
    void request.method
    return respond(undefined, { status: 403 })
  })

export const talking = middy()
  .use(webSocket())
  .use(validate({ data: z.object({ text: z.string() }) }))
  .use(backends({ connections: new ConnectionsBackend() }))
  .handler(async ({ data, connectionId }, { backends: { connections } }) => {
    same<Equal<typeof data, { text: string }>>()
    const found = await connections.find(connectionId)
    same<Equal<typeof found, Connection | undefined>>()
    const told = await connections.broadcast(new Set([connectionId]), data)
    same<Equal<typeof told, Broadcast>>()
    // @ts-expect-error -- a connection is sent to by its id
    await connections.send(7, data)
  })

export const task = middy()
  .use(invocation())
  .use(taskToken({ from: 'token' }))
  .handler(async ({ data }, context) => {
    same<Equal<typeof data, unknown>>()
    same<Equal<(typeof context)['task'], TaskContext['task']>>()
    same<Equal<ReturnType<typeof context.task.heartbeat>, Promise<void>>>()
    await context.task.heartbeat()
  })

// @ts-expect-error -- an unknown option
webSocket({ errors: 'problem' })
// @ts-expect-error -- the token has a name
taskToken({ from: 7 })
// @ts-expect-error -- an address, not a URL object
new ConnectionsBackend({ endpoint: new URL('https://x.example') })

// Two sources in one chain have no event in common.
export const both = middy()
  .use(webSocket())
  .use(httpApi())
  .handler((request) => {
    same<Equal<typeof request, never>>()
  })
