import { randomUUID } from 'node:crypto'
import type { EventBridgeEvent } from 'aws-lambda'
import { accountId, region } from './described-request.ts'

/** An event of a bus, as its sender describes it. */
export interface DescribedEvent<TDetailType extends string = string, TDetail = unknown> {
  readonly detailType: TDetailType
  readonly detail: TDetail
  /** @default 'shop.orders' */
  readonly source?: string
  readonly id?: string
  readonly time?: Date
  readonly resources?: readonly string[]
  /** The replay that sends the event again. */
  readonly replayName?: string
}

/**
 * The event that EventBridge sends of what was put onto a bus.
 *
 * @example
 * ```ts
 * import { eventBridgeEvent } from 'clearskies-middy/testing'
 *
 * export const event = eventBridgeEvent({ detailType: 'Order Placed', detail: { order: 12 } })
 * ```
 */
export function eventBridgeEvent<TDetailType extends string, TDetail>({
  detailType,
  detail,
  source = 'shop.orders',
  id = randomUUID(),
  time = new Date(1_773_100_000_000),
  resources = [],
  replayName,
}: DescribedEvent<TDetailType, TDetail>): EventBridgeEvent<TDetailType, TDetail> {
  return {
    version: '0',
    id,
    'detail-type': detailType,
    source,
    account: accountId,
    // Whole seconds.
    time: time.toISOString().replace(/\.\d+/, ''),
    region,
    resources: [...resources],
    detail,
    ...(replayName !== undefined && { 'replay-name': replayName }),
  }
}

/** Options of {@link scheduledEvent}. */
export interface ScheduledEventOptions extends Pick<DescribedEvent, 'id' | 'time'> {
  /** What calls: a rule with a schedule, or the Scheduler, whose detail is text. @default 'rule' */
  readonly by?: 'rule' | 'scheduler'
  /** @default 'nightly' */
  readonly name?: string
}

/**
 * The event that a schedule sends: of a rule, or of EventBridge Scheduler without an input of its own.
 *
 * @example
 * ```ts
 * import { scheduledEvent } from 'clearskies-middy/testing'
 *
 * export const event = scheduledEvent({ by: 'scheduler' })
 * ```
 */
export function scheduledEvent({
  by = 'rule',
  name = 'nightly',
  ...described
}: ScheduledEventOptions = {}): EventBridgeEvent<'Scheduled Event', object | string> {
  const isRule = by === 'rule'
  return eventBridgeEvent<'Scheduled Event', object | string>({
    ...described,
    detailType: 'Scheduled Event',
    source: isRule ? 'aws.events' : 'aws.scheduler',
    resources: [
      isRule
        ? `arn:aws:events:${region}:${accountId}:rule/${name}`
        : `arn:aws:scheduler:${region}:${accountId}:schedule/default/${name}`,
    ],
    detail: isRule ? {} : '{}',
  })
}
