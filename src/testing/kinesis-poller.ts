import type * as sdk from '@aws-sdk/client-kinesis'
import { kinesisStreams } from '../aws/kinesis.ts'
import { type Port, portTo } from '../aws/port.ts'
import { ConfigurationError } from '../errors/index.ts'
import { regionOfArn } from '../wire/partitions.ts'
import type { AnyHandler } from './invoke.ts'
import { kinesisEvent } from './kinesis-event.ts'
import type { Shard, ShardPage, ShardPosition, Stream } from './shard-reader.ts'
import { ShardedStreamPoller } from './sharded-stream-poller.ts'
import type { StreamPoller, StreamPollerOptions } from './stream-poller.ts'

/**
 * Stands for the event source mapping of a Kinesis stream: reads its shards, invokes with Lambda's event, and goes on
 * from the lowest number that the answer lists. It needs `@aws-sdk/client-kinesis`.
 *
 * @throws ConfigurationError for what is not the ARN of a stream
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 * @example
 * ```ts
 * import { KinesisClient } from '@aws-sdk/client-kinesis'
 * import middy from '@middy/core'
 * import { eachRecord, kinesis } from 'clearskies-middy'
 * import { kinesisPoller } from 'clearskies-middy/testing'
 *
 * const worker = middy().use(kinesis()).handler(eachRecord(async ({ data }) => { console.log(data) }))
 * const client = new KinesisClient({ endpoint: 'http://127.0.0.1:4566' })
 * const poller = kinesisPoller('arn:aws:kinesis:eu-central-1:000000000000:stream/clicks', worker, { client })
 * await poller.drain()
 * ```
 */
export function kinesisPoller(
  streamArn: string,
  handler: AnyHandler,
  options: StreamPollerOptions = {},
): StreamPoller {
  if (!/^arn:[^:]+:kinesis:[^:]*:[^:]*:stream\/./.test(streamArn))
    throw new ConfigurationError(`A Kinesis stream is named by its ARN, and not by "${streamArn}"`)
  const port = portTo(kinesisStreams, { client: options.client, region: regionOfArn(streamArn) })
  const stream = new KinesisStream(streamArn, port, options.batchSize)
  return new ShardedStreamPoller({ stream, handler, options })
}

class KinesisStream implements Stream {
  readonly #arn: string
  readonly #port: Port<typeof sdk>
  readonly #limit: number

  constructor(arn: string, port: Port<typeof sdk>, limit = 100) {
    this.#arn = arn
    this.#port = port
    this.#limit = limit
  }

  async shards(): Promise<Shard[]> {
    const shards: Shard[] = []
    let NextToken: string | undefined
    do {
      const page: sdk.ListShardsCommandOutput = await this.#port.call(
        'ListShards',
        // The token stands for the stream.
        NextToken === undefined ? { StreamARN: this.#arn } : { NextToken },
      )
      for (const { ShardId: id = '', ParentShardId, AdjacentParentShardId } of page.Shards ?? [])
        shards.push({ id, parents: [ParentShardId ?? '', AdjacentParentShardId ?? ''] })
      NextToken = page.NextToken
    } while (NextToken)
    return shards
  }

  async iterator(ShardId: string, position: ShardPosition): Promise<string | undefined> {
    const { ShardIterator } = await this.#port.call('GetShardIterator', {
      StreamARN: this.#arn,
      ShardId,
      ...('after' in position
        ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: position.after }
        : { ShardIteratorType: position.start }),
    })
    return ShardIterator
  }

  async read(ShardIterator: string, shardId: string): Promise<ShardPage> {
    const { Records, NextShardIterator, MillisBehindLatest } = await this.#port.call('GetRecords', {
      StreamARN: this.#arn,
      ShardIterator,
      Limit: this.#limit,
    })
    const event = kinesisEvent(
      (Records ?? []).map(({ Data, PartitionKey, SequenceNumber, ApproximateArrivalTimestamp }) => ({
        data: Data ?? '',
        ...(PartitionKey !== undefined && { partitionKey: PartitionKey }),
        ...(SequenceNumber !== undefined && { sequenceNumber: SequenceNumber }),
        ...(ApproximateArrivalTimestamp && { arrivedAt: ApproximateArrivalTimestamp }),
      })),
      { streamArn: this.#arn, shardId },
    )
    return {
      records: event.Records.map((record) => ({ sequenceNumber: record.kinesis.sequenceNumber, record })),
      next: NextShardIterator,
      isBehind: (MillisBehindLatest ?? 0) > 0,
    }
  }
}
