import type { AwsClient } from '../aws/client.ts'

/** What became of one batch of a shard. */
export interface StreamInvocation {
  readonly shardId: string
  readonly sequenceNumbers: readonly string[]
  /** The numbers that are not done. Everything from the lowest on comes again, unless the batch is given up. */
  readonly failed: readonly string[]
  readonly milliseconds: number
  /** What the handler threw, or that its time was up, if so. */
  readonly error?: unknown
}

/** Options of `kinesisPoller()` and `dynamodbStreamPoller()`; their names are those of Lambda's mapping. */
export interface StreamPollerOptions {
  /** A client of the service's SDK, or anything else with its `send`. @default one made from the environment */
  readonly client?: AwsClient
  /** How many records an invocation gets at most; a read of a DynamoDB stream gives up to 1000. @default 100 */
  readonly batchSize?: number
  /**
   * Where the shards are begun that the first call finds. A shard that comes later is read from its beginning.
   * @default 'TRIM_HORIZON'
   */
  readonly startingPosition?: 'TRIM_HORIZON' | 'LATEST'
  /**
   * How often a batch is tried again before it is given up. Counted anew where the first failure has moved on.
   * @default Infinity: a record that always fails blocks its shard
   */
  readonly maximumRetryAttempts?: number
  /** Whether a batch whose invocation fails is split in two; that counts as no attempt. @default false */
  readonly bisectBatchOnFunctionError?: boolean
  /** Whether the mapping has `ReportBatchItemFailures`. Without it, any answer means that the batch is done. @default true */
  readonly reportBatchItemFailures?: boolean
  /**
   * The function's timeout in milliseconds. As on Lambda the invocation has failed then, whatever the handler answers
   * later. @default 30_000
   */
  readonly timeout?: number
  /** How long `run()` waits in milliseconds when there is nothing to read, or a batch has failed. @default 1000 */
  readonly interval?: number
  /** Told of every batch. */
  readonly onInvocation?: (invocation: StreamInvocation) => void
  /** Told of a batch that is given up, where Lambda would tell the mapping's destination on failure. */
  readonly onFailure?: (invocation: StreamInvocation) => void
  /** Told by `run()` when a call to AWS fails. @default console.error */
  readonly onError?: (error: unknown) => void
}

/** Reads a stream. It keeps its checkpoints as long as it lives. */
export interface StreamPoller {
  /** Invokes the handler with one batch of each shard: what failed before, or else what is read. */
  once(): Promise<StreamInvocation[]>
  /** Goes on until each shard is read and worked to its end. Never ends while a batch fails and is not given up. */
  drain(): Promise<StreamInvocation[]>
  /** Goes on until the signal is aborted and the batches under way have ended. */
  run(signal: AbortSignal): Promise<void>
}
