import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { eventBridgeEvent } from 'clearskies-middy/testing'

/** Called with what Lambda would be sent. */
export type Deliver = (event: unknown) => Promise<unknown>

/** Stands for EventBridge: takes events as its API does, and gives each to one function, in order. */
export interface LocalEventBus {
  readonly url: string
  /** Where events go, once there is a function. */
  deliver: Deliver | undefined
  stop(): Promise<void>
}

interface PutEvents {
  readonly Entries: readonly {
    readonly Source: string
    readonly DetailType: string
    readonly Detail: string
  }[]
}

export async function startEventBus(): Promise<LocalEventBus> {
  let delivering: Promise<unknown> = Promise.resolve()
  const server = createServer((request, response) => {
    void (async () => {
      const { Entries } = (await json(request)) as PutEvents
      const taken = Entries.map(({ Source: source, DetailType: detailType, Detail }) => {
        const id = randomUUID()
        const event = eventBridgeEvent({
          id,
          source,
          detailType,
          detail: JSON.parse(Detail) as unknown,
          time: new Date(),
        })
        delivering = delivering.then(() => bus.deliver?.(event)).catch(() => undefined)
        return { EventId: id }
      })
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify({ FailedEntryCount: 0, Entries: taken }))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bus: LocalEventBus = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliver: undefined,
    async stop() {
      await delivering
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
  }
  return bus
}
