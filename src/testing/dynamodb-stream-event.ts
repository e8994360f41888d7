import type { DynamoDBRecord, DynamoDBStreamEvent, StreamRecord } from 'aws-lambda'
import { marshallItem } from '../wire/marshall.ts'
import { withBase64 } from './described-data.ts'
import { accountId, region } from './described-request.ts'

/** A change of an item, as a test describes it; keys and items are plain values. */
export interface DescribedChange {
  readonly keys: Readonly<Record<string, unknown>>
  readonly newItem?: Readonly<Record<string, unknown>>
  readonly oldItem?: Readonly<Record<string, unknown>>
  /** @default what the items tell: `remove` without a new one, `insert` without an old one, else `modify` */
  readonly change?: 'insert' | 'modify' | 'remove'
  /** Whether the time to live has removed the item. @default false */
  readonly expired?: boolean
  /** @default greater with every change of the event */
  readonly sequenceNumber?: string
  readonly changedAt?: Date
}

/** Options of {@link dynamodbStreamEvent}. */
export interface DynamoDbStreamEventOptions {
  /** @default that of a table called `orders` */
  readonly streamArn?: string
  /** Which items the stream has: what its view leaves out is left out. @default 'NEW_AND_OLD_IMAGES' */
  readonly view?: NonNullable<StreamRecord['StreamViewType']>
}

/**
 * The event that Lambda makes of changes of a table.
 *
 * @example
 * ```ts
 * import { dynamodbStreamEvent } from 'clearskies-middy/testing'
 *
 * export const event = dynamodbStreamEvent([
 *   { keys: { id: '7' }, newItem: { id: '7', price: 3 } },
 *   { keys: { id: '8' }, oldItem: { id: '8', price: 4 }, expired: true },
 * ])
 * ```
 */
export function dynamodbStreamEvent(
  changes: readonly DescribedChange[],
  {
    streamArn = `arn:aws:dynamodb:${region}:${accountId}:table/orders/stream/2026-03-10T00:00:00.000`,
    view = 'NEW_AND_OLD_IMAGES',
  }: DynamoDbStreamEventOptions = {},
): DynamoDBStreamEvent {
  return { Records: changes.map((change, index) => toRecord(change, index, { streamArn, view })) }
}

function toRecord(
  described: DescribedChange,
  index: number,
  { streamArn, view }: Required<DynamoDbStreamEventOptions>,
): DynamoDBRecord {
  const { keys, newItem, oldItem, changedAt } = described
  const { change = newItem === undefined ? 'remove' : oldItem === undefined ? 'insert' : 'modify' } =
    described
  const number = described.sequenceNumber ?? String(4_421_584_500_000_000_017_450_439_091n + BigInt(index))
  return {
    eventID: `c81e728d9d4c2f636f067f89${index.toString(16).padStart(8, '0')}`,
    eventName: ({ insert: 'INSERT', modify: 'MODIFY', remove: 'REMOVE' } as const)[change],
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: streamArn.split(':')[3] ?? region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor((changedAt?.getTime() ?? 1_773_100_000_000 + index) / 1000),
      Keys: toImage(keys),
      ...(newItem !== undefined && view.startsWith('NEW_') && { NewImage: toImage(newItem) }),
      ...(oldItem !== undefined && /OLD/.test(view) && { OldImage: toImage(oldItem) }),
      SequenceNumber: number,
      SizeBytes: 59,
      StreamViewType: view,
    },
    ...(described.expired === true && {
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    }),
    eventSourceARN: streamArn,
  }
}

/** An item in the typed form that streams have. */
function toImage(item: object): NonNullable<StreamRecord['Keys']> {
  return withBase64(marshallItem(item)) as NonNullable<StreamRecord['Keys']>
}
