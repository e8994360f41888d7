import { poll } from '../testing/index.ts'
import { isQueueUrl } from '../aws/sqs.ts'
import { type CliCommand, UsageError, handlerOptions, timeoutOf } from './command.ts'
import { loadHandler } from './load-handler.ts'
import { stopped, tell } from './terminal.ts'

export const pollCommand: CliCommand = {
  name: 'poll',
  usage: 'QUEUE-URL MODULE[#EXPORT]',
  summary: 'Works the messages of a queue, as an event source mapping of SQS does',
  options: {
    'batch-size': { type: 'string', value: 'N', help: 'how many messages an invocation gets (default 10)' },
    ...handlerOptions,
  },
  positionals: [2, 2],
  async run(typed) {
    const [queueUrl = '', target = ''] = typed.positionals
    if (!isQueueUrl(queueUrl)) throw new UsageError(`"${queueUrl}" is not the URL of a queue`)
    const timeout = timeoutOf(typed)
    const batchSize = typed.number('batch-size', 1) ?? 10
    const handler = await loadHandler(target, typed)
    const poller = poll(queueUrl, handler, {
      timeout,
      batchSize,
      onInvocation({ messageIds, failed, milliseconds }) {
        const outcome = failed.length === 0 ? 'done' : `${failed.length} failed`
        tell(
          `${messageIds.length} messages, ${outcome}, ${Math.round(milliseconds)} ms`,
          failed.length === 0 ? 'dim' : 'red',
        )
      },
      onError(error) {
        tell(`SQS: ${error instanceof Error ? error.message : String(error)}`, 'red')
      },
    })
    tell(`${queueUrl} → ${target}`, 'green')
    await stopped()
    await poller.stop()
    return 0
  },
}
