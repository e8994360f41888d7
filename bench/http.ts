import middy from '@middy/core'
import { httpApi } from '../dist/normalizers/http-api.js'
import { type AnyHandler, httpApiEvent, lambdaContext } from '../dist/testing/index.js'
import { type Contender, type Measurement, compare, median, table } from './harness.ts'
import { described, events, handlers } from './http-handlers.ts'

const context = lambdaContext()

function contender(name: string, handler: AnyHandler, event: string): Contender {
  return {
    name,
    prepare: (count) => Array.from({ length: count }, () => JSON.parse(event) as unknown),
    async run(inputs) {
      for (const input of inputs) await handler(input, context)
    },
  }
}

/** Every contender must have done the work, or its time means nothing. */
async function check(name: string, handler: AnyHandler, event: string): Promise<void> {
  const result = (await handler(JSON.parse(event), context)) as { body: string; isBase64Encoded?: boolean }
  const body = result.isBase64Encoded === true ? Buffer.from(result.body, 'base64').toString() : result.body
  const { page, data } = JSON.parse(body) as { page: string; data: { price: number } }
  if (page !== '2' || data.price !== 12.5) throw new Error(`${name} has answered ${body}`)
}

export async function benchRequests(rounds: number): Promise<Record<string, Measurement[]>> {
  const results: Record<string, Measurement[]> = {}
  for (const [source, contenders] of Object.entries(handlers)) {
    const event = events[source as keyof typeof events]
    for (const [name, handler] of Object.entries(contenders)) await check(name, handler, event)
    results[source] = await compare(
      Object.entries(contenders).map(([name, handler]) => contender(name, handler, event)),
      { rounds },
    )
  }
  return results
}

export interface Growth {
  readonly what: string
  /** Microseconds. */
  readonly bare: number
  readonly ours: number
  /** Of memory that one invocation leaves behind, in bytes, and the body's own size. */
  readonly memory: number
  readonly body: number
}

const echo = middy()
  .use(httpApi())
  .handler((request) =>
    request.isBase64Encoded
      ? request.bytes()
      : { headers: Object.keys(request.headers).length, data: request.data },
  )

const bareEcho = middy().handler((async (event: {
  headers: object
  body: string
  isBase64Encoded: boolean
}) => {
  if (event.isBase64Encoded)
    return {
      statusCode: 200,
      isBase64Encoded: true,
      body: Buffer.from(event.body, 'base64').toString('base64'),
    }
  return {
    statusCode: 200,
    body: JSON.stringify({
      headers: Object.keys(event.headers).length,
      data: JSON.parse(event.body) as unknown,
    }),
  }
}) as never)

/** How the cost grows with headers and bodies: one at a time, the other small. */
export async function benchGrowth(rounds: number): Promise<Growth[]> {
  const text = (bytes: number) => ({
    items: Array.from({ length: Math.ceil(bytes / 100) }, (_, index) => ({
      id: index,
      text: 'x'.repeat(70),
    })),
  })
  const cases: [string, object, number][] = [
    ...[10, 50, 100].map((count): [string, object, number] => [
      `${count} headers`,
      httpApiEvent({
        ...described,
        headers: {
          'content-type': 'application/json',
          ...Object.fromEntries(
            Array.from({ length: count }, (_, index) => [`x-header-${index}`, `value ${index}`]),
          ),
        },
      }),
      200,
    ]),
    ...(
      [
        ['1 KB', 1e3],
        ['100 KB', 1e5],
        ['5 MB', 5e6],
      ] as const
    ).map(([size, bytes]): [string, object, number] => [
      `${size} of JSON`,
      httpApiEvent({ ...described, body: text(bytes) }),
      bytes,
    ]),
    ...(
      [
        ['1 KB', 1e3],
        ['100 KB', 1e5],
        ['4 MB', 4e6],
      ] as const
    ).map(([size, bytes]): [string, object, number] => [
      `${size} of bytes`,
      httpApiEvent({ ...described, headers: { 'content-type': 'image/png' }, body: Buffer.alloc(bytes, 7) }),
      bytes,
    ]),
  ]
  const growth: Growth[] = []
  for (const [what, event, body] of cases) {
    const count = Math.max(1, Math.min(500, Math.floor(5e6 / body)))
    const wire = JSON.stringify(event)
    const [bare, ours] = await compare([contender('bare', bareEcho, wire), contender('ours', echo, wire)], {
      count,
      rounds,
      warmUp: 3,
    })
    growth.push({
      what,
      bare: bare?.median ?? 0,
      ours: ours?.median ?? 0,
      memory: await garbageOf(echo, wire),
      body,
    })
  }
  return growth
}

/** What the process holds more after an invocation than before it, with nothing collected in between. */
async function garbageOf(handler: AnyHandler, wire: string): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < 9; round++) {
    const event: unknown = JSON.parse(wire)
    globalThis.gc?.()
    const before = process.memoryUsage()
    await handler(event, context)
    const after = process.memoryUsage()
    samples.push(after.heapUsed + after.external - before.heapUsed - before.external)
  }
  return median(samples)
}

export function requestTables(results: Record<string, Measurement[]>): string {
  return Object.entries(results)
    .map(([source, rows]) =>
      table(
        `One JSON POST as ${source} event, warm`,
        ['', 'µs', 'beside bare Middy'],
        rows.map(({ name, median: time, ratio }) => [name, time.toFixed(2), ratio.toFixed(2)]),
      ),
    )
    .join('\n')
}

export function growthTable(rows: readonly Growth[]): string {
  return table(
    'Headers and bodies',
    ['', 'bare Middy µs', 'clearskies-middy µs', 'ratio', 'memory', 'memory / body'],
    rows.map(({ what, bare, ours, memory, body }) => [
      what,
      bare.toFixed(1),
      ours.toFixed(1),
      (ours / bare).toFixed(2),
      `${(memory / 1000).toFixed(0)} KB`,
      body < 1000 ? '' : (memory / body).toFixed(1),
    ]),
  )
}
