import { PassThrough } from 'node:stream'
import { asRecord } from '../core/record.ts'
import type { AnyHandler } from '../core/middy.ts'
import { hasStreamingRuntime } from '../normalizers/http/streaming.ts'

/** By this the runtime knows a handler that streams. */
const streaming: unique symbol = Symbol.for('aws.lambda.runtime.handler.streaming') as never

type WriteChunk = (chunk: string | Uint8Array) => unknown

/** What Lambda hands to a handler that streams. */
export class ResponseStream extends PassThrough {
  contentType: string | undefined
  /** Set by `HttpResponseStream.from()`. The first `write()` calls it, and `end(chunk)` does not: so it is in Lambda. */
  _onBeforeFirstWrite: ((write: WriteChunk) => void) | undefined

  setContentType(contentType: string): void {
    this.contentType = contentType
  }

  override write(chunk: unknown, ...rest: never[]): boolean {
    const before = this._onBeforeFirstWrite
    this._onBeforeFirstWrite = undefined
    before?.((first) => super.write(first))
    return super.write(chunk, ...rest)
  }
}

const httpContentType = 'application/vnd.awslambda.http-integration-response'

/**
 * Puts `awslambda` in place, which the runtime of Lambda has and Middy's `executionModeStreamifyResponse` needs. Call it
 * before the module of a handler is loaded. It does nothing where `awslambda` is there already.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { executionModeStreamifyResponse } from '@middy/core/StreamifyResponse'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 * import { functionUrlEvent, invoke, streamingRuntime } from 'clearskies-middy/testing'
 *
 * streamingRuntime()
 * const handler = middy({ executionMode: executionModeStreamifyResponse })
 *   .use(httpApi({ streaming: true }))
 *   .handler(async () => new Response('as it comes'))
 * console.log(await invoke(handler, functionUrlEvent())) // { statusCode: 200, body: 'as it comes', … }
 * ```
 */
export function streamingRuntime(): void {
  if (hasStreamingRuntime()) return
  const awslambda = {
    streamifyResponse: <THandler extends object>(handler: THandler): THandler =>
      Object.assign(handler, { [streaming]: 'response' }),
    HttpResponseStream: {
      from(stream: ResponseStream, metadata: unknown): ResponseStream {
        stream.setContentType(httpContentType)
        stream._onBeforeFirstWrite = (write) => {
          write(JSON.stringify(metadata))
          write(new Uint8Array(8))
        }
        return stream
      },
    },
  }
  const { awslambda: present } = asRecord(globalThis)
  Object.assign(globalThis, { awslambda: { ...asRecord(present), ...awslambda } })
}

/** Whether a handler streams. */
export function isStreaming(handler: AnyHandler): boolean {
  return streaming in handler
}

/** A response as it arrives. */
export interface StreamedResponse {
  /** Status, headers and cookies; empty for a stream that is no HTTP response. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly body: AsyncIterable<Buffer>
  /** Resolves when the handler has ended. */
  readonly done: Promise<unknown>
  /** Breaks off, as when the client leaves. */
  readonly close: () => void
}

/** Invokes a handler that streams. Resolves with the metadata. */
export async function invokeStreaming(
  handler: AnyHandler,
  event: unknown,
  context: unknown,
): Promise<StreamedResponse> {
  const stream = new ResponseStream()
  const done = Promise.resolve(handler(event, stream, context))
  // What the handler throws, the client sees as a body that is cut.
  done.catch((error: unknown) => stream.destroy(error as Error))
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let start = Buffer.alloc(0)
  let end = -1
  while (end < 0) {
    const result = await chunks.next()
    if (result.done === true) break
    start = Buffer.concat([start, result.value])
    if (stream.contentType !== httpContentType) break
    end = start.indexOf(Buffer.alloc(8))
  }
  async function* body(): AsyncGenerator<Buffer> {
    const rest = end < 0 ? start : start.subarray(end + 8)
    if (rest.length > 0) yield rest
    yield* { [Symbol.asyncIterator]: () => chunks }
    await done
  }
  const metadata = end < 0 ? {} : (asRecord(JSON.parse(start.subarray(0, end).toString()) as unknown) ?? {})
  return { metadata, body: body(), done, close: () => void stream.destroy() }
}
