import { SQSClient, type SQSClientConfig, SendMessageCommand } from '@aws-sdk/client-sqs'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Producer } from 'sqs-producer'
import { type LightClient, light } from '../dist/clients/light.js'
import { model } from '../dist/backends/model.js'
import { SqsBackend } from '../dist/backends/sqs.js'
import { median, table } from './harness.ts'
import { type Order, order } from './sqs-handlers.ts'
import type { ServerReport } from './sqs-server.ts'

/** What it took one contender to send messages that are all there at once. */
export interface SendCost {
  readonly name: string
  readonly calls: number
  /** Requests on their way at once, as the server saw them. */
  readonly maxInFlight: number
  /** Milliseconds until all are acknowledged. */
  readonly wall: number
  /** Microseconds of processor time per message. */
  readonly cpu: number
}

type Send = (orders: readonly Order[]) => Promise<unknown>

function contenders(endpoint: string): Record<string, Send> {
  const queueUrl = `${endpoint}/123456789012/orders`
  const client = (config: SQSClientConfig = {}): SQSClient =>
    new SQSClient({
      endpoint,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
      // It would warn of what is waiting for a socket: that is how one call per message works.
      requestHandler: { logger: { ...console, warn: () => undefined } },
      ...config,
    })
  const backend = (config?: SQSClientConfig, given?: LightClient): Send => {
    const Orders = model({
      name: queueUrl,
      schema: {
        '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value: value as Order }) },
      },
    })
    const orders = new SqsBackend(Orders, { client: given ?? client(config) })
    return (list) => Promise.all(list.map((item) => orders.create(item)))
  }
  const producer = Producer.create({ queueUrl, sqs: client() })
  const single = client()
  return {
    'clearskies-middy': backend(),
    'clearskies-middy, md5: false': backend({ md5: false }),
    'clearskies-middy, light()': backend(
      {},
      light({
        endpoint,
        region: 'eu-central-1',
        credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
      }),
    ),
    'sqs-producer': (list) =>
      producer.send(list.map((item, index) => ({ id: String(index), body: JSON.stringify(item) }))),
    'SendMessage each, 50 sockets': (list) =>
      Promise.all(
        list.map((item) =>
          single.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(item) })),
        ),
      ),
  }
}

async function measure(send: Send, count: number, server: ChildProcess): Promise<Omit<SendCost, 'name'>> {
  const orders = Array.from({ length: count }, (_, id) => order(id))
  globalThis.gc?.()
  const cpu = process.cpuUsage()
  const started = performance.now()
  await send(orders)
  const wall = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  const { calls, messages, maxInFlight } = await report(server)
  if (messages !== count) throw new Error(`Of ${count} messages, ${messages} have arrived`)
  return { calls, maxInFlight, wall, cpu: (user + system) / count }
}

async function report(server: ChildProcess): Promise<ServerReport> {
  const answer = once(server, 'message')
  server.send('report')
  const [report] = (await answer) as [ServerReport]
  return report
}

export async function benchSend(count: number, rounds: number): Promise<SendCost[]> {
  const server = fork(new URL('./sqs-server.ts', import.meta.url), { execArgv: [] })
  try {
    const [port] = (await once(server, 'message')) as [number]
    const all = Object.entries(contenders(`http://127.0.0.1:${port}`))
    for (const [, send] of all) await measure(send, Math.min(count, 2000), server)
    const costs = all.map((): Omit<SendCost, 'name'>[] => [])
    for (let round = 0; round < rounds; round++)
      for (const [index, [, send]] of all.entries()) costs[index]?.push(await measure(send, count, server))
    return all.map(([name], index) => {
      const list = costs[index] ?? []
      const of = (key: keyof Omit<SendCost, 'name'>): number => median(list.map((cost) => cost[key]))
      return { name, calls: of('calls'), maxInFlight: of('maxInFlight'), wall: of('wall'), cpu: of('cpu') }
    })
  } finally {
    server.kill()
  }
}

export function sendTable(costs: readonly SendCost[], count: number): string {
  return table(
    `${count.toLocaleString('en')} messages at once, to a server that takes 10 ms`,
    ['', 'calls', 'at once', 'ms', 'CPU µs / message'],
    costs.map(({ name, calls, maxInFlight, wall, cpu }) => [
      name,
      calls.toLocaleString('en'),
      String(maxInFlight),
      wall.toFixed(0),
      cpu.toFixed(1),
    ]),
  )
}
