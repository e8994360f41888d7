import { Writable } from 'node:stream'
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import type { HttpRequest, Middleware } from 'clearskies-middy'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import {
  type DescribedRequest,
  type AnyHandler,
  functionUrlEvent,
  lambdaContext,
  restApiEvent,
  streamingRuntime,
} from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { RecordingLogger } from './recording-logger.ts'

streamingRuntime()

/** A source that streams, with one of Middy's versions. */
export interface StreamingSource {
  readonly name: string
  readonly source: 'function-url' | 'rest-api'
  chain(
    handler: (request: HttpRequest) => unknown,
    logger: RecordingLogger,
    ...more: readonly object[]
  ): AnyHandler
  event(request?: DescribedRequest): object
}

const versions = {
  'Middy 7': () => middy({ executionMode: executionModeStreamifyResponse }),
  'Middy 6': () => middy6({ streamifyResponse: true }) as unknown as ReturnType<typeof middy>,
}

const kinds = [
  { title: 'function URL', source: 'function-url', normalizer: httpApi, event: functionUrlEvent },
  { title: 'REST API', source: 'rest-api', normalizer: restApi, event: restApiEvent },
] as const

/** Function URL and REST API, each with Middy 6 and 7. */
export const streamingSources: readonly StreamingSource[] = Object.entries(versions).flatMap(
  ([version, make]) =>
    kinds.map(({ title, source, normalizer, event }): StreamingSource => ({
      name: `${title}, ${version}`,
      source,
      chain: (handler, logger, ...more) =>
        make()
          .use(normalizer({ streaming: true, logger }) as Middleware)
          .use([...more] as Middleware[])
          .handler(handler as never) as AnyHandler,
      event,
    })),
)

/** What has gone over the wire: the metadata, and the bytes behind it. */
export interface WireStream {
  readonly metadata: Record<string, unknown>
  readonly bytes: Buffer
}

/** Takes metadata and bytes apart, as API Gateway does. @throws Error where there is no metadata */
export function readWire(all: Buffer): WireStream {
  const end = all.indexOf(Buffer.alloc(8))
  if (end < 0) throw new Error('there is no metadata')
  return {
    metadata: JSON.parse(all.subarray(0, end).toString()) as Record<string, unknown>,
    bytes: all.subarray(end + 8),
  }
}

/** Lambda's stream as the handler gets it, with the hook of its first write. Keeps what has come. */
export class Wire extends Writable {
  readonly chunks: Buffer[] = []
  _onBeforeFirstWrite: ((write: (chunk: string | Uint8Array) => void) => void) | undefined
  readonly #taken: (chunk: Buffer) => void | Promise<void>

  constructor(taken: (chunk: Buffer) => void | Promise<void> = () => undefined) {
    super({ highWaterMark: 16_384 })
    this.#taken = taken
  }

  setContentType(): void {}

  override write(chunk: unknown, ...rest: never[]): boolean {
    const before = this._onBeforeFirstWrite
    this._onBeforeFirstWrite = undefined
    before?.((first) => super.write(first))
    return super.write(chunk, ...rest)
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.chunks.push(chunk)
    void Promise.resolve(this.#taken(chunk)).then(() => {
      done()
    })
  }
}

/** Invokes a handler behind a source, and reads what has gone over the wire. */
export async function run(
  { chain, event }: StreamingSource,
  handler: Parameters<StreamingSource['chain']>[0],
  { method = 'GET', wire = new Wire(), logger = new RecordingLogger() } = {},
  ...more: readonly object[]
) {
  await chain(handler, logger, ...more)(event({ method }), wire, lambdaContext())
  return { ...readWire(Buffer.concat(wire.chunks)), logger }
}

/** A source of a stream. */
export async function* pieces<T>(...parts: readonly T[]) {
  for (const part of parts) yield part
}
