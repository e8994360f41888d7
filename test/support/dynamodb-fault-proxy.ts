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
import { seededRandom } from './seeded-random.ts'

/**
 * What can become of a request: it is refused, or breaks down, or its connection does before or after it was done; half
 * of a batch is left over; it meets a transaction.
 */
export type Fault = 'throttle' | 'internal' | 'reset-before' | 'reset-after' | 'unprocessed' | 'conflict'

type Json = Record<string, unknown>

/** A request as the proxy saw it, and what it did to it. */
export interface ProxiedRequest {
  /** `GetItem`, `PutItem`, … */
  readonly action: string
  readonly input: Json
  fault?: Fault | undefined
}

interface Answer {
  readonly status: number
  readonly body: Json
}

const errors: Readonly<Partial<Record<Fault, readonly [status: number, type: string]>>> = {
  throttle: [400, 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException'],
  internal: [500, 'com.amazonaws.dynamodb.v20120810#InternalServerError'],
  conflict: [400, 'com.amazonaws.dynamodb.v20120810#TransactionConflictException'],
}

/**
 * Stands in front of a DynamoDB, and does to requests and answers what networks and the service do. It also gives the item
 * along with a failed condition where that is asked for, which the service does and the embedded engine does not.
 */
export class DynamoDbFaultProxy {
  /** Says what happens to a request; nothing, if it is not set or says nothing. */
  plan: ((request: ProxiedRequest) => Fault | undefined) | undefined
  /** Whether a failed condition comes with the item. */
  givesItems = true
  /** Waited for when a request has met its fault, and before its sender hears of that. */
  onFault: ((request: ProxiedRequest) => Promise<unknown>) | undefined
  /** Called when a request was answered by the engine, and before the answer goes on. */
  onAnswer: ((request: ProxiedRequest) => unknown) | undefined
  readonly requests: ProxiedRequest[] = []
  readonly #keys = new Map<string, string[]>()
  readonly #target: string
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  private constructor(target: string) {
    this.#target = target
  }

  static async start(target: string): Promise<DynamoDbFaultProxy> {
    const proxy = new DynamoDbFaultProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What it did, in order. */
  get faults(): Fault[] {
    return this.requests.flatMap(({ fault }) => fault ?? [])
  }

  /** The actions of the requests, in order. */
  get actions(): string[] {
    return this.requests.map(({ action }) => action)
  }

  /** Does these, one for each request of an action, and nothing to what follows. */
  queue(action: string, ...faults: readonly (Fault | undefined)[]): void {
    const left = [...faults]
    this.plan = (request) => (request.action === action ? left.shift() : undefined)
  }

  /** Does something to a share of the requests, the same for the same seed. */
  seed(seed: number, share: number, faults: readonly Fault[]): void {
    const random = seededRandom(seed)
    this.plan = ({ action }) => {
      const fault = random() < share ? faults[Math.floor(random() * faults.length)] : undefined
      return fault === 'unprocessed' && !action.startsWith('Batch') ? undefined : fault
    }
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    this.#agent.destroy()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const input = JSON.parse((await buffer(request)).toString()) as Json
      const action = String(request.headers['x-amz-target']).split('.')[1] ?? ''
      const seen: ProxiedRequest = { action, input }
      this.requests.push(seen)
      const fault = this.plan?.(seen)
      if (fault !== undefined) seen.fault = fault
      const answer = fault === 'reset-before' ? undefined : await this.#answer(seen)
      if (fault !== undefined) await this.onFault?.(seen)
      if (answer === undefined || fault === 'reset-after') request.socket.resetAndDestroy()
      else respond(response, answer)
    } catch {
      // The engine is closed, or the client is gone.
      response.destroy()
    }
  }

  async #answer(seen: ProxiedRequest): Promise<Answer> {
    const { action, input, fault } = seen
    const error = fault === undefined ? undefined : errors[fault]
    if (error !== undefined) return { status: error[0], body: { __type: error[1], message: 'By chance' } }
    const answer =
      fault === 'unprocessed' ? await this.#half(action, input) : await this.#forward(action, input)
    await this.onAnswer?.(seen)
    return this.#withItem(action, input, answer)
  }

  /** Passes half of a batch on, and gives the other half back. */
  async #half(action: string, input: Json): Promise<Answer> {
    const [table = ''] = Object.keys(input['RequestItems'] as Json)
    const asked = (input['RequestItems'] as Json)[table]
    const isRead = action === 'BatchGetItem'
    const list = (isRead ? (asked as Json)['Keys'] : asked) as Json[]
    const around = (some: Json[]): Json => ({ [table]: isRead ? { ...(asked as Json), Keys: some } : some })
    const middle = Math.floor(list.length / 2)
    const left = { [isRead ? 'UnprocessedKeys' : 'UnprocessedItems']: around(list.slice(middle)) }
    if (middle === 0) return { status: 200, body: { ...(isRead && { Responses: {} }), ...left } }
    const { status, body } = await this.#forward(action, {
      ...input,
      RequestItems: around(list.slice(0, middle)),
    })
    return { status, body: { ...body, ...left } }
  }

  async #withItem(action: string, input: Json, answer: Answer): Promise<Answer> {
    const isFailed = String(answer.body['__type']).endsWith('ConditionalCheckFailedException')
    if (!isFailed || !this.givesItems || input['ReturnValuesOnConditionCheckFailure'] !== 'ALL_OLD')
      return answer
    const table = String(input['TableName'])
    const held = (input['Key'] ?? input['Item']) as Json
    const keys = await this.#keysOf(table)
    const Key = Object.fromEntries(keys.map((key) => [key, held[key]]))
    const { body } = await this.#forward('GetItem', { TableName: table, Key, ConsistentRead: true })
    const { Item } = body
    return Item === undefined ? answer : { ...answer, body: { ...answer.body, Item } }
  }

  async #keysOf(table: string): Promise<string[]> {
    const known = this.#keys.get(table)
    if (known !== undefined) return known
    const { body } = await this.#forward('DescribeTable', { TableName: table })
    const { KeySchema } = body['Table'] as { KeySchema: { AttributeName: string }[] }
    const keys = KeySchema.map(({ AttributeName }) => AttributeName)
    this.#keys.set(table, keys)
    return keys
  }

  async #forward(action: string, input: Json): Promise<Answer> {
    const body = JSON.stringify(input)
    const outgoing = httpRequest(this.#target, {
      method: 'POST',
      agent: this.#agent,
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${action}`,
        authorization:
          'AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=b',
        'x-amz-date': '20260101T000000Z',
        'content-length': Buffer.byteLength(body),
      },
    })
    outgoing.end(body)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    const text = (await buffer(incoming)).toString()
    return { status: incoming.statusCode ?? 500, body: JSON.parse(text) as Json }
  }
}

function respond(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
}
