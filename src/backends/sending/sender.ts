import type * as sdk from '@aws-sdk/client-sqs'
import type { SendMessageBatchCommandOutput, SendMessageBatchResultEntry } from '@aws-sdk/client-sqs'
import type { Port } from '../../aws/port.ts'
import { atEndOfTick } from '../../core/end-of-tick.ts'
import { Lanes, type Pending, type Receipt } from './lanes.ts'
import { type Message, maxMessageBytes } from './message.ts'
import { type Failure, callFailure, entryFailure, groupStopped, learnedLimit } from './outcome.ts'

/** How a sender goes about it. */
export interface SenderOptions {
  readonly port: Port<typeof sdk>
  readonly queueUrl: string
  readonly fifo: boolean
  /** Requests at once. */
  readonly maxInFlight: number
  /** Milliseconds to wait for more messages; 0 for the rest of the tick. */
  readonly linger: number
  readonly ordering: 'strict' | 'batch'
  readonly onGroupError: 'stop' | 'continue'
  /** What to do with a message that may have arrived or not. */
  readonly onUnknown: 'retry' | 'reject'
  /** Told of a message that the queue took for another one of the same request. */
  readonly onSwallowed: (groupId: string) => void
  /** Told when a group's order was broken by a failure inside a request. */
  readonly onDisorder: (groupId: string) => void
}

const batchSize = 10
const maxSendAttempts = 6

/**
 * Sends the messages of one queue, in requests of ten and of as many bytes as the queue takes, several requests at once.
 * What fails for the moment is sent again, alone. In a FIFO queue a group has one request on its way at a time, and what
 * failed goes first.
 */
export class SqsSender {
  readonly #options: SenderOptions
  /** Messages that wait for more to share their request; less than one request of them. */
  #fresh: Pending[] = []
  /** Messages that go as soon as they may. */
  readonly #lanes: Lanes
  #limit = maxMessageBytes
  #inFlight = 0
  #scheduled = false

  constructor(options: SenderOptions) {
    this.#options = options
    this.#lanes = new Lanes(options.fifo, options.ordering === 'strict')
  }

  /** Takes a message at once, in the order of the calls; settles when SQS has answered for it. */
  send(message: Message): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (totalBytes(this.#fresh) + message.bytes > this.#limit) this.#dispatch()
      this.#fresh.push({ ...message, attempts: 0, resolve, reject })
      if (this.#fresh.length === batchSize) this.#dispatch()
      else this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const due = (): void => {
      this.#scheduled = false
      this.#dispatch()
    }
    const { linger } = this.#options
    if (linger > 0) setTimeout(due, linger)
    else atEndOfTick(due)
  }

  #dispatch(): void {
    for (const message of this.#fresh.splice(0)) this.#lanes.push(message)
    this.#pump()
  }

  #pump(): void {
    while (this.#inFlight < this.#options.maxInFlight) {
      const request = this.#lanes.take(batchSize, this.#limit)
      if (request.length === 0) return // Nothing waits, or every group that does has a request on its way.
      this.#inFlight++
      void this.#send(request).finally(() => {
        this.#inFlight--
        this.#pump()
      })
    }
  }

  async #send(request: readonly Pending[]): Promise<void> {
    let output: Partial<SendMessageBatchCommandOutput> | undefined
    try {
      output = await this.#call(request)
    } catch (error) {
      this.#failWhole(request, error)
      return
    }
    const { fifo, queueUrl } = this.#options
    const successful = new Map(output?.Successful?.map((success) => [success.Id, success]))
    const failed = new Map(output?.Failed?.map((failure) => [failure.Id, failure]))
    this.#conclude(request, (index) => {
      const id = String(index)
      return successful.get(id) ?? entryFailure(failed.get(id), queueUrl)
    })
    if (fifo) this.#reportSwallowed(request, successful)
  }

  #call(request: readonly Pending[]): Promise<Partial<SendMessageBatchCommandOutput> | undefined> {
    const { port, queueUrl: QueueUrl } = this.#options
    const Entries = request.map(({ entry }, index) => ({ ...entry, Id: String(index) }))
    return port.call('SendMessageBatch', { QueueUrl, Entries })
  }

  #failWhole(request: readonly Pending[], cause: unknown): void {
    const failure = callFailure(cause, this.#options.queueUrl)
    if (failure.verdict !== 'too-long' || request.length === 1) {
      this.#conclude(request, () => failure)
      return
    }
    const total = totalBytes(request)
    this.#limit = Math.min(this.#limit, learnedLimit(cause) ?? total >> 1, total - 1)
    this.#settle(request, request, 0)
  }

  /** Gives every message of a request its end, or another try. */
  #conclude(request: readonly Pending[], answerOf: (index: number) => Failure | Receipt): void {
    const { fifo, queueUrl, onGroupError, onDisorder } = this.#options
    const again: Pending[] = []
    const stopped = new Map<string | undefined, Error>()
    for (const [index, message] of request.entries()) {
      const { groupId } = message
      const answer = answerOf(index)
      const stop = stopped.get(groupId)
      if (!('verdict' in answer)) {
        message.resolve(answer)
        if (fifo && again.some((other) => other.groupId === groupId)) onDisorder(String(groupId))
      } else if (stop !== undefined) message.reject(groupStopped(stop, queueUrl))
      else if (this.#isPassing(answer) && ++message.attempts < maxSendAttempts) again.push(message)
      else {
        message.reject(answer.error)
        // One that the queue has, though perhaps not as it was meant, breaks no order.
        if (fifo && onGroupError === 'stop' && answer.verdict !== 'sent') stopped.set(groupId, answer.error)
      }
    }
    for (const [groupId, error] of stopped) this.#stop(groupId, error)
    this.#settle(request, again)
  }

  #isPassing({ verdict }: Failure): boolean {
    return verdict === 'retry' || (verdict === 'unknown' && this.#options.onUnknown === 'retry')
  }

  /** Rejects what waits in a group. */
  #stop(groupId: string | undefined, error: Error): void {
    const { yes = [], no = [] } = Object.groupBy(this.#fresh, (message) =>
      message.groupId === groupId ? 'yes' : 'no',
    )
    this.#fresh = no
    for (const { reject } of [...this.#lanes.drop(groupId), ...yes])
      reject(groupStopped(error, this.#options.queueUrl))
  }

  /** A duplicate counts as taken and has the place of the first; within one request that shows. */
  #reportSwallowed(
    request: readonly Pending[],
    successful: ReadonlyMap<string | undefined, SendMessageBatchResultEntry>,
  ): void {
    const seen = new Set<string>()
    for (const { Id, SequenceNumber } of successful.values()) {
      if (SequenceNumber === undefined) continue
      if (seen.has(SequenceNumber)) this.#options.onSwallowed(String(request[Number(Id)]?.groupId))
      seen.add(SequenceNumber)
    }
  }

  /** Ends a request: groups are free again, and what failed for the moment stands first among its own after a pause. */
  #settle(request: readonly Pending[], again: readonly Pending[], pause?: number): void {
    const lanes = this.#lanes.release(request, again)
    if (again.length === 0) return
    const back = (): void => {
      this.#lanes.restore(lanes, again)
      this.#pump()
    }
    const wait =
      pause ?? Math.random() * Math.min(2000, 50 * 2 ** Math.max(...again.map(({ attempts }) => attempts)))
    if (wait === 0) back()
    else setTimeout(back, wait)
  }
}

function totalBytes(messages: readonly Pending[]): number {
  return messages.reduce((sum, { bytes }) => sum + bytes, 0)
}
