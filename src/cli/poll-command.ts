import { isQueueUrl } from '../aws/sqs.ts'
import { ConfigurationError, MissingDependencyError } from '../errors/index.ts'
import {
  type AnyHandler,
  type StreamPollerOptions,
  dynamodbStreamPoller,
  kinesisPoller,
  poll,
  pollSns,
} from '../testing/index.ts'
import { type CliCommand, UsageError, handlerOptions, timeoutOf } from './command.ts'
import { loadHandler } from './load-handler.ts'
import { stopped, tell } from './terminal.ts'

/** What all pollers are given: they differ in what they call the ids of a batch. */
interface PollSettings extends Pick<StreamPollerOptions, 'batchSize' | 'onError'> {
  readonly timeout: number
}

/** Polls until it is stopped. */
type PollWork = (source: string, handler: AnyHandler, options: PollSettings) => Promise<void>

const queueWork =
  (start: typeof poll | typeof pollSns): PollWork =>
  async (queueUrl, handler, options) => {
    const poller = start(queueUrl, handler, {
      ...options,
      onInvocation({ messageIds, ...outcome }) {
        tellOutcome('messages', messageIds, outcome)
      },
    })
    await stopped()
    await poller.stop()
  }

const streamWork =
  (open: typeof kinesisPoller): PollWork =>
  async (streamArn, handler, options) => {
    const stopping = new AbortController()
    void stopped().then(() => {
      stopping.abort()
    })
    const poller = open(streamArn, handler, {
      ...options,
      onInvocation({ sequenceNumbers, ...outcome }) {
        tellOutcome('records', sequenceNumbers, outcome)
      },
    })
    await poller.run(stopping.signal)
  }

/** Which poller an address is of. @throws UsageError */
function workOf(address: string, isTopic: boolean): PollWork {
  if (isQueueUrl(address)) return queueWork(isTopic ? pollSns : poll)
  const [, ofKinesis, ofTable] =
    /^arn:[^:]+:(?:(kinesis:.*:stream\/)|(dynamodb:.*\/stream\/))/.exec(address) ?? []
  if (ofKinesis === undefined && ofTable === undefined)
    throw new UsageError(`"${address}" is not the URL of a queue or the ARN of a stream`)
  if (isTopic) throw new UsageError('--sns takes the URL of a queue that is subscribed to the topic')
  return streamWork(ofTable === undefined ? kinesisPoller : dynamodbStreamPoller)
}

interface PollOutcome {
  readonly failed: readonly string[]
  readonly milliseconds: number
}

function tellOutcome(what: string, ids: readonly string[], { failed, milliseconds }: PollOutcome): void {
  const outcome = failed.length === 0 ? 'done' : `${failed.length} failed`
  tell(
    `${ids.length} ${what}, ${outcome}, ${Math.round(milliseconds)} ms`,
    failed.length === 0 ? 'dim' : 'red',
  )
}

/** What went wrong with a call. A name with several addresses has an error for each, and no message. */
function told(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return told(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ECONNREFUSED') return `${error.message}: nothing listens there`
  if (error.name === 'CredentialsProviderError')
    return `${error.message}: sign in, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (an emulator takes any)`
  return error.message
}

export const pollCommand: CliCommand = {
  name: 'poll',
  usage: 'QUEUE-URL|STREAM-ARN MODULE[#EXPORT]',
  summary: 'Works the messages of a queue or the records of a stream, as an event source mapping does',
  options: {
    'batch-size': {
      type: 'string',
      value: 'N',
      help: 'how many an invocation gets (default 10 messages, 100 records)',
    },
    sns: { type: 'boolean', help: 'the queue is subscribed to a topic: invoke with what SNS would send' },
    ...handlerOptions,
  },
  positionals: [2, 2],
  async run(typed) {
    const [address = '', target = ''] = typed.positionals
    const work = workOf(address, typed.flag('sns'))
    const timeout = timeoutOf(typed)
    const batchSize = typed.integer('batch-size', 1, 10_000)
    const handler = await loadHandler(target, typed)
    tell(`${address} → ${target}`, 'green')
    await work(address, handler, {
      timeout,
      ...(batchSize !== undefined && { batchSize }),
      onError(error) {
        tell(`AWS: ${told(error)}`, 'red')
        // Another try finds the same.
        if (error instanceof MissingDependencyError || error instanceof ConfigurationError) process.exit(1)
      },
    })
    return 0
  },
}
