import type { Context, EventBridgeEvent } from 'aws-lambda'
import { cloneJson, parseIfJson } from '../core/json.ts'
import type { Middleware } from '../core/middy.ts'
import { passForPlainData } from '../core/plain-data.ts'
import { asStrings } from '../core/record.ts'
import { invalidEvent } from '../events/advice.ts'
import { eventKind } from '../events/event-kind.ts'
import { normalizesEvent } from '../invocation/single-event.ts'

/** An event as Lambda gets it. */
type RawEvent = EventBridgeEvent<string, unknown>

/**
 * An event of EventBridge, as a request: of a bus, a schedule, the Scheduler, a replay.
 *
 * @example
 * ```ts
 * import type { EventBridgeRequest } from 'clearskies-middy/normalizers/event-bridge'
 *
 * export const title = ({ eventSource, detailType }: EventBridgeRequest) => `${detailType} of ${eventSource}`
 * ```
 */
export class EventBridgeRequest<TDetailType extends string = string, TData = unknown> {
  readonly kind = 'event'
  readonly source = 'event-bridge'
  /** What the event tells, its `detail`; a detail that is text is parsed where it is JSON, as the Scheduler sends it. */
  data: TData
  readonly #raw: RawEvent
  readonly #lambdaContext: Context

  private constructor(raw: RawEvent, lambdaContext: Context) {
    passForPlainData(new.target.prototype)
    this.#raw = raw
    this.#lambdaContext = lambdaContext
    this.data = detailOf(raw) as TData
  }

  /** @internal */
  static of(event: unknown, lambdaContext: Context): EventBridgeRequest {
    return new EventBridgeRequest(event as RawEvent, lambdaContext)
  }

  /** The event as Lambda sent it. */
  get raw(): unknown {
    return this.#raw
  }

  get lambdaContext(): Context {
    return this.#lambdaContext
  }

  /** Stays the same when Lambda tries the event again. */
  get id(): string {
    return this.#raw.id
  }

  get detailType(): TDetailType {
    return this.#raw['detail-type'] as TDetailType
  }

  /** Who sent the event: its `source`. */
  get eventSource(): string {
    return this.#raw.source
  }

  /** In whole seconds. */
  get occurredAt(): Date {
    return new Date(this.#raw.time)
  }

  get account(): string {
    return this.#raw.account
  }

  get region(): string {
    return this.#raw.region
  }

  get resources(): readonly string[] {
    return asStrings(this.#raw.resources)
  }

  /** The replay that has sent the event again from an archive, if one has. */
  get replayName(): string | undefined {
    return this.#raw['replay-name'] ?? undefined
  }
}

/** What a handler changes in it is not changed in what was sent. */
function detailOf({ detail }: RawEvent): unknown {
  return typeof detail === 'string' ? parseIfJson(detail) : cloneJson(detail ?? undefined)
}

/** The requests of events, each with the data of its detail type. */
export type EventBridgeRequests<TDetails> = {
  [K in keyof TDetails & string]: EventBridgeRequest<K, TDetails[K]>
}[keyof TDetails & string]

/**
 * Puts the handler behind EventBridge. What it returns is answered as it is; errors propagate, so that Lambda tries again.
 * A type of what each detail type has (`eventBridge<{ 'Order Placed': Order }>()`) tells the compiler, and checks nothing:
 * `validate({ data })` does.
 *
 * @throws InvalidEventError if it is another event; the list that a pipe sends is for the normalizer of its records
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eventBridge } from 'clearskies-middy/normalizers/event-bridge'
 *
 * export const handler = middy()
 *   .use(eventBridge<{ 'Order Placed': { order: number }; 'Order Cancelled': { reason: string } }>())
 *   .handler(async (request) => {
 *     if (request.detailType === 'Order Placed') console.log(request.data.order)
 *     else console.log(request.data.reason)
 *   })
 * ```
 */
export function eventBridge<TDetails extends object = Readonly<Record<string, unknown>>>(): Middleware<
  EventBridgeRequests<TDetails>
> {
  return normalizesEvent((event, context) => {
    const kind = eventKind(event)
    if (kind !== 'event-bridge') throw invalidEvent('eventBridge', ['event-bridge'], kind)
    return EventBridgeRequest.of(event, context) as EventBridgeRequests<TDetails>
  })
}
