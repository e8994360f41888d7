import { seededRandom } from './seeded-random.ts'
import type { BatchAnswer, WireEntry } from './sqs-wire.ts'
import { size } from './sqs-wire.ts'

/** What the model should hold the sender to, and how hard it makes it. */
export interface ModelOptions {
  readonly fifo: boolean
  readonly strict: boolean
  readonly maxInFlight: number
  /** The most bytes that a request may have. */
  readonly limit: number
  /** Whether messages may arrive without the sender being told. */
  readonly untold: boolean
}

interface Waiting {
  readonly entries: readonly WireEntry[]
  readonly settle: () => void
}

/**
 * A queue in memory as a client: requests wait until {@link answerOne} picks one of them, so that every order of answers
 * comes to pass. It writes down whatever breaks SQS's rules or the sender's promises.
 */
export class SqsQueueModel {
  readonly violations: string[] = []
  /** The bodies that the queue has, in its order. */
  readonly bodies: string[] = []
  maxConcurrent = 0
  readonly #options: ModelOptions
  readonly #random: () => number
  readonly #waiting: Waiting[] = []
  readonly #busyGroups = new Set<string | undefined>()
  readonly #known = new Set<string>()
  #toldLimit = false

  constructor(seed: number, options: ModelOptions) {
    this.#random = seededRandom(seed)
    this.#options = options
  }

  /** The AWS client's `send`. */
  send(command: { readonly input: { readonly Entries: readonly WireEntry[] } }): Promise<unknown> {
    const { Entries: entries } = command.input
    const groups = entries.map(({ MessageGroupId }) => MessageGroupId)
    this.#check(entries, groups)
    for (const group of groups) this.#busyGroups.add(group)
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        for (const group of groups) this.#busyGroups.delete(group)
        try {
          resolve(this.#answer(entries))
        } catch (error) {
          reject(error)
        }
      }
      this.#waiting.push({ entries, settle })
      this.maxConcurrent = Math.max(this.maxConcurrent, this.#waiting.length)
    })
  }

  /** Answers one of the requests that wait, if there are any. */
  answerOne(): void {
    const [waiting] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1)
    waiting?.settle()
  }

  #check(entries: readonly WireEntry[], groups: readonly (string | undefined)[]): void {
    const { fifo, strict, maxInFlight } = this.#options
    const broken = (is: boolean, rule: string): unknown => is && this.violations.push(rule)
    broken(entries.length === 0, 'an empty request')
    broken(entries.length > 10, 'more than ten entries')
    broken(this.#waiting.length >= maxInFlight, 'more requests than maxInFlight')
    broken(
      entries.some(({ Id }, index) => Id !== String(index)),
      'ids that are not positions',
    )
    broken(fifo && groups.some((group) => this.#busyGroups.has(group)), 'two requests of a group at once')
    broken(strict && new Set(groups).size < groups.length, 'two messages of a group in a request')
    broken(
      this.#toldLimit && entries.length > 1 && this.#isTooLong(entries),
      'a limit that was told is forgotten',
    )
  }

  #isTooLong(entries: readonly WireEntry[]): boolean {
    return entries.reduce((sum, entry) => sum + size(entry), 0) > this.#options.limit
  }

  #answer(entries: readonly WireEntry[]): BatchAnswer {
    const { limit, untold } = this.#options
    if (this.#isTooLong(entries)) {
      // A request may be on its way from the sender in this very moment.
      setImmediate(() => (this.#toldLimit = true))
      throw failure('BatchRequestTooLong', `Batch requests cannot be longer than ${limit} bytes.`)
    }
    const whole = this.#random()
    if (whole < 0.04) throw failure('KmsThrottled', 'Too fast')
    if (whole < 0.06) throw Object.assign(new Error('read'), { code: 'ECONNRESET' })
    const answer: BatchAnswer = { Successful: [], Failed: [] }
    for (const entry of entries) this.#take(entry, answer)
    if (whole < 0.08 && untold) throw Object.assign(new Error('read'), { code: 'ECONNRESET' })
    return answer
  }

  #take({ Id, MessageBody = '', MessageDeduplicationId = '' }: WireEntry, answer: BatchAnswer): void {
    const chance = this.#random()
    if (MessageBody.includes('"bad"'))
      answer.Failed.push({ Id, Code: 'InvalidMessageContents', SenderFault: true })
    else if (chance < 0.05) answer.Failed.push({ Id, Code: 'InternalError', SenderFault: false })
    else if (chance < 0.08) answer.Failed.push({ Id, Code: 'RequestThrottled', SenderFault: true })
    else if (chance > 0.1) {
      // Between the two it is lost, and told nowhere.
      const isNew = !this.#options.fifo || !this.#known.has(MessageDeduplicationId)
      this.#known.add(MessageDeduplicationId)
      if (isNew) this.bodies.push(MessageBody)
      // What is taken may be told or not.
      if (!this.#options.untold || this.#random() > 0.02) answer.Successful.push({ Id })
    }
  }
}

function failure(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } })
}
