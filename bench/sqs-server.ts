// A queue that takes everything, in a process of its own: what it computes is not charged to who sends.
import { createHash } from 'node:crypto'
import { type IncomingMessage, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What has come in since the last report. */
export interface ServerReport {
  readonly calls: number
  /** Different bodies. */
  readonly messages: number
  readonly maxInFlight: number
}

/** Milliseconds. */
const latency = 10

let bodies = new Set<string>()
let calls = 0
let inFlight = 0
let maxInFlight = 0

interface Sent {
  readonly Id?: string
  readonly MessageBody: string
}

function accept({ Id, MessageBody }: Sent): object {
  bodies.add(MessageBody)
  const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex')
  return { Id, MessageId: crypto.randomUUID(), MD5OfMessageBody }
}

async function answer(request: IncomingMessage): Promise<object> {
  const input = JSON.parse(await text(request)) as Sent & { Entries: Sent[] }
  if (request.headers['x-amz-target'] === 'AmazonSQS.SendMessage') return accept(input)
  return { Successful: input.Entries.map(accept) }
}

const server = createServer((request, response) => {
  calls++
  maxInFlight = Math.max(maxInFlight, ++inFlight)
  const pause = new Promise((resolve) => setTimeout(resolve, latency))
  void Promise.all([answer(request), pause]).then(([output]) => {
    inFlight--
    response.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(output))
  })
})

process.on('message', () => {
  const report: ServerReport = { calls, messages: bodies.size, maxInFlight }
  process.send?.(report)
  bodies = new Set()
  calls = maxInFlight = 0
})

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
