import type * as sdk from '@aws-sdk/client-dynamodb-streams'
import { dynamodbStreams } from '../aws/dynamodb-streams.ts'
import { type Port, portTo } from '../aws/port.ts'
import { ConfigurationError } from '../errors/index.ts'
import { regionOfArn } from '../wire/partitions.ts'
import { withBase64 } from './described-data.ts'
import type { AnyHandler } from './invoke.ts'
import type { Shard, ShardPage, ShardPosition, ShardRecord, Stream } from './shard-reader.ts'
import { ShardedStreamPoller } from './sharded-stream-poller.ts'
import type { StreamPoller, StreamPollerOptions } from './stream-poller.ts'

/**
 * Stands for the event source mapping of a DynamoDB stream: reads its shards, invokes with Lambda's event, and goes on
 * from the lowest number that the answer lists. It needs `@aws-sdk/client-dynamodb-streams`.
 *
 * @throws ConfigurationError for what is not the ARN of a stream: that of its table has no `/stream/`
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 * @example
 * ```ts
 * import { DynamoDBClient, DescribeTableCommand } from '@aws-sdk/client-dynamodb'
 * import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
 * import middy from '@middy/core'
 * import { dynamodbStream, eachRecord } from 'clearskies-middy'
 * import { dynamodbStreamPoller } from 'clearskies-middy/testing'
 *
 * const worker = middy().use(dynamodbStream()).handler(eachRecord(async ({ newItem }) => { console.log(newItem) }))
 * const endpoint = 'http://127.0.0.1:8000'
 * const { Table } = await new DynamoDBClient({ endpoint }).send(new DescribeTableCommand({ TableName: 'orders' }))
 * const client = new DynamoDBStreamsClient({ endpoint })
 * await dynamodbStreamPoller(Table?.LatestStreamArn ?? '', worker, { client }).drain()
 * ```
 */
export function dynamodbStreamPoller(
  streamArn: string,
  handler: AnyHandler,
  options: StreamPollerOptions = {},
): StreamPoller {
  if (!/^arn:[^:]+:dynamodb:[^:]*:[^:]*:table\/[^/]+\/stream\/./.test(streamArn))
    throw new ConfigurationError(`A DynamoDB stream is named by its own ARN, and not by "${streamArn}"`)
  const port = portTo(dynamodbStreams, { client: options.client, region: regionOfArn(streamArn) })
  const stream = new DynamoDbStream(streamArn, port, options.batchSize)
  return new ShardedStreamPoller({ stream, handler, options })
}

/** A read gives no more. */
const mostRecords = 1000

class DynamoDbStream implements Stream {
  readonly #arn: string
  readonly #port: Port<typeof sdk>
  readonly #limit: number

  constructor(arn: string, port: Port<typeof sdk>, limit = 100) {
    this.#arn = arn
    this.#port = port
    this.#limit = Math.min(limit, mostRecords)
  }

  async shards(): Promise<Shard[]> {
    const shards: Shard[] = []
    let last: string | undefined
    do {
      const { StreamDescription }: sdk.DescribeStreamCommandOutput = await this.#port.call('DescribeStream', {
        StreamArn: this.#arn,
        ...(last !== undefined && { ExclusiveStartShardId: last }),
      })
      for (const { ShardId: id = '', ParentShardId = '' } of StreamDescription?.Shards ?? [])
        shards.push({ id, parents: [ParentShardId] })
      last = StreamDescription?.LastEvaluatedShardId
    } while (last)
    return shards
  }

  async iterator(ShardId: string, position: ShardPosition): Promise<string | undefined> {
    const { ShardIterator } = await this.#port.call('GetShardIterator', {
      StreamArn: this.#arn,
      ShardId,
      ...('after' in position
        ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position.after }
        : { ShardIteratorType: position.start }),
    })
    return ShardIterator
  }

  async read(ShardIterator: string): Promise<ShardPage> {
    const { Records = [], NextShardIterator } = await this.#port.call('GetRecords', {
      ShardIterator,
      Limit: this.#limit,
    })
    // The service does not tell how far behind a read is.
    return {
      records: Records.map((record) => this.#toRecord(record)),
      next: NextShardIterator,
      isBehind: false,
    }
  }

  /** As Lambda has it: times in seconds, bytes in base64, and who removed an item under other names. */
  #toRecord({ dynamodb = {}, userIdentity, ...record }: sdk._Record): ShardRecord {
    const { ApproximateCreationDateTime: changedAt, Keys, NewImage, OldImage, ...change } = dynamodb
    return {
      sequenceNumber: dynamodb.SequenceNumber ?? '',
      record: {
        ...record,
        dynamodb: {
          ...(changedAt && { ApproximateCreationDateTime: changedAt.getTime() / 1000 }),
          ...(Keys && { Keys: withBase64(Keys) }),
          ...(NewImage && { NewImage: withBase64(NewImage) }),
          ...(OldImage && { OldImage: withBase64(OldImage) }),
          ...change,
        },
        ...(userIdentity && {
          userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId },
        }),
        eventSourceARN: this.#arn,
      },
    }
  }
}
