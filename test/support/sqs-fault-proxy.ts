import { once } from 'node:events'
import {
  Agent,
  type IncomingMessage,
  type ServerResponse,
  createServer,
  request as httpRequest,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { EntryFault, Plan, SeenRequest } from './sqs-faults.ts'
import { type Answer, type BatchAnswer, type WireEntry, failure, parse, respond, size } from './sqs-wire.ts'

/** Stands in front of an SQS, and does to requests and answers what networks and services do. */
export class SqsFaultProxy {
  /** Says what happens to a request; nothing, if it is not set or says nothing. */
  plan: ((request: SeenRequest) => Plan | undefined) | undefined
  /** The most bytes that a SendMessageBatch may have, where that is less than the engine takes. */
  limit = Infinity
  readonly requests: SeenRequest[] = []
  /** How often something was done, by kind. */
  readonly faults: Record<string, number> = {}
  /** Bodies that the queue took, while the sender was not told so. */
  readonly untold = new Set<string>()
  /** Messages whose deletion was refused, so that they come again. */
  readonly undeleted = new Set<string>()
  /** The most SendMessageBatch requests at once. */
  maxConcurrent = 0
  #concurrent = 0
  readonly #messageIds = new Map<string, string>()
  readonly #target: string
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  private constructor(target: string) {
    this.#target = target
  }

  static async start(target: string): Promise<SqsFaultProxy> {
    const proxy = new SqsFaultProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The requests that sent messages. */
  get sent(): readonly SeenRequest[] {
    return this.requests.filter(({ action }) => action === 'SendMessageBatch')
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    this.#agent.destroy()
    await once(this.#server, 'close')
  }

  #count(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await buffer(request)).toString()
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
    const { Entries: entries = [] } = JSON.parse(text) as { Entries?: WireEntry[] }
    const seen: SeenRequest = { action, entries, bytes: entries.reduce((sum, entry) => sum + size(entry), 0) }
    this.requests.push(seen)
    const sends = action === 'SendMessageBatch'
    if (sends) this.maxConcurrent = Math.max(this.maxConcurrent, ++this.#concurrent)
    try {
      const plan = this.plan?.(seen) ?? {}
      if (plan.wait !== undefined) this.#count('slow')
      await plan.wait
      const answer = plan.reset === 'before' ? undefined : await this.#answer(seen, text, request, plan)
      if (plan.reset !== undefined) this.#count(`reset ${plan.reset}`)
      if (sends && (plan.reset === 'after' || plan.garbled === true)) this.#rememberUntold(entries, answer)
      if (answer === undefined || plan.reset !== undefined) request.socket.resetAndDestroy()
      else respond(response, answer, plan.garbled)
    } catch {
      // The engine is closed, or the client is gone.
      response.destroy()
    } finally {
      if (sends) this.#concurrent--
    }
  }

  async #answer(seen: SeenRequest, text: string, request: IncomingMessage, plan: Plan): Promise<Answer> {
    const { action, entries, bytes } = seen
    if (action === 'SendMessageBatch' && bytes > this.limit) {
      this.#count('BatchRequestTooLong')
      const message = `Batch requests cannot be longer than ${this.limit} bytes. You have sent ${bytes} bytes.`
      return failure('BatchRequestTooLong', 400, message)
    }
    if (plan.error !== undefined) {
      this.#count(plan.error.code)
      return failure(plan.error.code, plan.error.status, plan.error.message)
    }
    const faults = plan.entries ?? new Map<number, EntryFault>()
    const held = [...faults].filter(([, fault]) => fault !== 'unlisted').map(([index]) => index)
    const passed = entries.filter((_, index) => !held.includes(index))
    const changes = faults.size > 0 || plan.alter !== undefined
    const forwarded: Answer =
      entries.length > 0 && passed.length === 0
        ? { status: 200, body: '{}' }
        : await this.#forward(changes ? JSON.stringify({ ...parse(text), Entries: passed }) : text, request)
    if (action === 'ReceiveMessage') this.#rememberHandles(forwarded)
    if (!changes || forwarded.status !== 200) return forwarded
    const answer: BatchAnswer = { Successful: [], Failed: [], ...parse(forwarded.body) }
    for (const [index, fault] of faults) this.#apply(fault, entries[index] as WireEntry, answer)
    plan.alter?.(answer)
    return { status: 200, body: JSON.stringify(answer) }
  }

  #apply(
    fault: EntryFault,
    { Id, MessageBody = '', ReceiptHandle = '' }: WireEntry,
    answer: BatchAnswer,
  ): void {
    this.#count(typeof fault === 'string' ? fault : fault.Code)
    if (typeof fault === 'object') answer.Failed.push({ Id, Message: 'By chance', ...fault })
    if (fault === 'unlisted') {
      this.untold.add(MessageBody)
      answer.Successful = answer.Successful.filter((success) => success.Id !== Id)
    }
    if (ReceiptHandle !== '') this.undeleted.add(this.#messageIds.get(ReceiptHandle) ?? '')
  }

  #rememberUntold(entries: readonly WireEntry[], answer: Answer | undefined): void {
    const { Successful = [] } = parse(answer?.body ?? '{}') as Partial<BatchAnswer>
    const taken = new Set(Successful.map(({ Id }) => Id))
    for (const { Id, MessageBody = '' } of entries) if (taken.has(Id)) this.untold.add(MessageBody)
  }

  #rememberHandles({ body }: Answer): void {
    const { Messages = [] } = parse(body) as { Messages?: { ReceiptHandle: string; MessageId: string }[] }
    for (const { ReceiptHandle, MessageId } of Messages) this.#messageIds.set(ReceiptHandle, MessageId)
  }

  async #forward(body: string, { headers }: IncomingMessage): Promise<Answer> {
    const outgoing = httpRequest(this.#target, {
      method: 'POST',
      agent: this.#agent,
      headers: {
        'content-type': headers['content-type'],
        'x-amz-target': headers['x-amz-target'],
        'content-length': Buffer.byteLength(body),
      },
    })
    outgoing.end(body)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    return { status: incoming.statusCode ?? 500, body: (await buffer(incoming)).toString() }
  }
}
