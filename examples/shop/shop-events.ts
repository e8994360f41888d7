import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'

/** What the shop tells on its bus, by the event's `detail-type`. */
export interface ShopEvents {
  'Order Worked': { readonly id: string; readonly title: string; readonly placedAt: string }
  'Catalogue Changed': { readonly books: number }
  'Night Reported': { readonly placed: number; readonly worked: number }
}

/** The `source` of the shop's events. */
export const eventSource = 'shop'

/** The shop's bus on EventBridge. */
export class EventBus {
  #client: EventBridgeClient | undefined

  async put<TName extends keyof ShopEvents>(name: TName, detail: ShopEvents[TName]): Promise<void> {
    this.#client ??= new EventBridgeClient()
    const entry = { Source: eventSource, DetailType: name, Detail: JSON.stringify(detail) }
    const EventBusName = process.env['EVENT_BUS_NAME'] ?? 'shop'
    const { FailedEntryCount = 0, Entries = [] } = await this.#client.send(
      new PutEventsCommand({ Entries: [{ ...entry, EventBusName }] }),
    )
    // It refuses single events in an answer that is fine.
    if (FailedEntryCount > 0) throw new Error(`EventBridge refused ${name}: ${String(Entries[0]?.ErrorCode)}`)
  }
}
