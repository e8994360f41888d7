// Responses that stream, through AWS's own runtime client: what goes over the wire, byte by byte.
import { once } from 'node:events'
import { type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { functionUrlEvent, restApiEvent, sqsEvent } from 'clearskies-middy/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readWire } from '../../support/streamed.ts'
import { Bundles, formats } from './bundles.ts'
import { LambdaFunction } from './lambda-function.ts'
import type { StreamOutcome } from './runtime-api.ts'

const bundles = new Bundles()
const roots: Record<string, string> = {}

beforeAll(async () => {
  for (const format of formats)
    roots[format] = await bundles.make('test/e2e/lambda-runtime/streaming-handlers.ts', format)
})
afterAll(() => {
  bundles[Symbol.dispose]()
})

const sources = {
  'a function URL': { name: 'functionUrl', event: functionUrlEvent },
  'a REST API': { name: 'restApiHandler', event: restApiEvent },
}
const cases = formats.flatMap((format) =>
  Object.entries(sources).map(([source, { name, event }]) => ({ source, format, name, event })),
)

/** All that arrives, and why it ended before its end. */
async function collect({ body }: StreamOutcome) {
  const pieces: Buffer[] = []
  let error: unknown
  try {
    for await (const piece of body) pieces.push(piece)
  } catch (thrown) {
    error = thrown
  }
  return { ...readWire(Buffer.concat(pieces)), error }
}

/** An address that answers when it is opened. */
async function makeGate() {
  const { promise: reached, resolve } = Promise.withResolvers<ServerResponse>()
  const server = createServer((_, response) => {
    resolve(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

describe.each(cases)('a stream behind $source, bundled as $format', ({ format, name, event }) => {
  const start = () => LambdaFunction.start({ root: String(roots[format]), handler: `handler.${name}` })

  it('P2: the first piece is on the wire, raw and behind its prelude, before the second is made', async () => {
    await using gate = await makeGate()
    await using lambda = await start()
    const stream = await lambda.stream(event({ path: `/pieces?gate=${encodeURIComponent(gate.url)}` }))
    expect(stream.contentType).toBe('application/vnd.awslambda.http-integration-response')
    const first = Buffer.concat([Buffer.alloc(8), Buffer.from([0, 255, 10])])
    let all = Buffer.alloc(0)
    let opened = false
    for await (const piece of stream.body) {
      all = Buffer.concat([all, piece])
      if (opened || !all.subarray(-first.length).equals(first)) continue
      opened = true
      const response = await gate.reached
      response.end()
    }
    const { metadata, bytes } = readWire(all)
    expect(metadata).toMatchObject({ statusCode: 201 })
    expect(JSON.stringify(metadata)).toContain('a=1')
    expect(bytes).toEqual(Buffer.from('\0\xff\nthe second', 'latin1'))
    expect(opened).toBe(true)
  })

  it('P2: an empty body still has its status and headers', async () => {
    await using lambda = await start()
    const { metadata, bytes, error } = await collect(await lambda.stream(event({ path: '/empty' })))
    expect(metadata).toMatchObject({ statusCode: 202 })
    expect(JSON.stringify(metadata)).toContain('"x-empty"')
    expect([bytes.length, error]).toEqual([0, undefined])
  })

  it('P2: an error before the first byte is an ordinary response', async () => {
    await using lambda = await start()
    const { metadata, bytes, error } = await collect(await lambda.stream(event({ path: '/nowhere' })))
    expect([metadata['statusCode'], error]).toEqual([404, undefined])
    expect(JSON.parse(bytes.toString())).toMatchObject({ status: 404, detail: 'There is no such page' })
  })

  it('P2: an error after the first byte cuts the stream, and the log has it', async () => {
    await using lambda = await start()
    // AWS's client may end its process before the piece is on its way: it leaves the rejection of a stream that is cut unhandled.
    const streamed = await lambda.stream(event({ path: '/broken' })).then(collect, (ended: unknown) => {
      expect(String(ended)).toContain('The process ended with')
      return undefined
    })
    if (streamed !== undefined) {
      expect([streamed.metadata['statusCode'], streamed.bytes.toString()]).toEqual([200, 'the first'])
      expect(String(streamed.error)).toBe('Error: aborted')
    }
    // Waits for what is on its way to the log.
    await lambda.kill()
    const log = lambda.log.join('\n')
    expect(log).toContain('The response to GET /broken broke off')
    expect(log).toContain('The password is hunter2')
  })

  it('P2: an event of another source ends the stream before its first byte, with the name of the error', async () => {
    await using lambda = await start()
    const { body } = await lambda.stream(sqsEvent([{ body: 1 }]))
    await expect(body[Symbol.asyncIterator]().next()).rejects.toThrow(
      'The stream ended with InvalidEventError',
    )
  })
})
