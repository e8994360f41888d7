// Responses that stream: each contender is asked through what stands in for Lambda's streaming runtime.
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/StreamifyResponse'
import { Hono } from 'hono'
import { streamHandle } from 'hono/aws-lambda'
import { stream } from 'hono/streaming'
import { httpApi } from '../dist/normalizers/http-api.js'
import { respond } from '../dist/normalizers/respond.js'
import { type AnyHandler, functionUrlEvent, invoke, streamingRuntime } from '../dist/testing/index.js'
import { type Measurement, compare, table } from './harness.ts'

/** Microseconds per response. */
export interface StreamedCost extends Measurement {
  readonly pieces: number
}

const event = functionUrlEvent({ path: '/export' })
const counts = [10, 100, 1000]
const piece = Buffer.from(`${JSON.stringify({ id: 7, title: 'x'.repeat(1000) })}\n`)
const headers = { 'content-type': 'application/x-ndjson' }

/** What both of a pair send: about 1 KB a piece. */
async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield piece
}

const asResponse = (count: number): Response => new Response(ReadableStream.from(pieces(count)), { headers })

type Contender = (count: number) => AnyHandler

function ours(answer: (count: number) => unknown): Contender {
  return (count) =>
    middy({ executionMode: executionModeStreamifyResponse })
      .use(httpApi({ streaming: true }))
      .handler(async () => answer(count)) as AnyHandler
}

const contenders: Readonly<Record<string, Contender>> = {
  'Hono streamHandle, a Response': (count) =>
    streamHandle(new Hono().get('/export', () => asResponse(count))) as AnyHandler,
  'clearskies-middy, a Response': ours(asResponse),
  'Hono streamHandle, stream()': (count) =>
    streamHandle(
      new Hono().get('/export', (c) => {
        c.header('content-type', headers['content-type'])
        return stream(c, async (out) => {
          for await (const bytes of pieces(count)) await out.write(bytes)
        })
      }),
    ) as AnyHandler,
  'clearskies-middy, respond.stream()': ours((count) => respond.stream(pieces(count), { headers })),
}

export async function benchStreamed(rounds: number): Promise<StreamedCost[]> {
  streamingRuntime()
  const costs: StreamedCost[] = []
  for (const count of counts) {
    const handlers = Object.entries(contenders).map(([name, make]) => ({ name, handler: make(count) }))
    for (const { name, handler } of handlers) await check(name, handler, count)
    const measurements = await compare(
      handlers.map(({ name, handler }) => ({
        name,
        prepare: (times) => Array.from({ length: times }),
        async run(inputs) {
          for (let done = 0; done < inputs.length; done++) await invoke(handler, event)
        },
      })),
      { rounds, warmUp: Math.min(5, rounds), count: Math.max(5, 2000 / count), batch: 20 },
    )
    costs.push(...measurements.map((measurement) => ({ ...measurement, pieces: count })))
  }
  return costs
}

/** Every contender must have sent it all, or its time means nothing. */
async function check(name: string, handler: AnyHandler, count: number): Promise<void> {
  const { statusCode, headers: got, body } = await invoke<Answer>(handler, event)
  if (
    statusCode === 200 &&
    got['content-type'] === headers['content-type'] &&
    body === piece.toString().repeat(count)
  )
    return
  throw new Error(`${name} has answered ${statusCode} with ${body.length} characters`)
}

interface Answer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function streamedTable(costs: readonly StreamedCost[]): string {
  return table(
    'Responses that stream, pieces of 1 KB, microseconds each',
    ['', ...counts.map((count) => `${count} pieces`)],
    Object.keys(contenders).map((name) => [
      name,
      ...counts.map(
        (count) => costs.find((cost) => cost.name === name && cost.pieces === count)?.median.toFixed(0) ?? '',
      ),
    ]),
  )
}
