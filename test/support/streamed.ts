import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import type { HttpRequest, Middleware } from 'clearskies-middy'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import {
  type DescribedRequest,
  type AnyHandler,
  functionUrlEvent,
  restApiEvent,
  streamingRuntime,
} from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import type { RecordingLogger } from './recording-logger.ts'

streamingRuntime()

/** A source that streams, with one of Middy's versions. */
export interface StreamingSource {
  readonly name: string
  readonly source: 'function-url' | 'rest-api'
  chain(
    handler: (request: HttpRequest) => unknown,
    logger: RecordingLogger,
    ...more: Middleware[]
  ): AnyHandler
  event(request?: DescribedRequest): object
}

const versions = {
  'Middy 7': () => middy({ executionMode: executionModeStreamifyResponse }),
  'Middy 6': () => middy6({ streamifyResponse: true }) as unknown as ReturnType<typeof middy>,
}

/** Function URL and REST API, each with Middy 6 and 7. */
export const streamingSources: readonly StreamingSource[] = Object.entries(versions).flatMap(
  ([version, make]) => [
    {
      name: `function URL, ${version}`,
      source: 'function-url',
      chain: (handler, logger, ...more) =>
        make()
          .use(httpApi({ streaming: true, logger }))
          .use(more)
          .handler(handler as never) as AnyHandler,
      event: functionUrlEvent,
    } satisfies StreamingSource,
    {
      name: `REST API, ${version}`,
      source: 'rest-api',
      chain: (handler, logger, ...more) =>
        make()
          .use(restApi({ streaming: true, logger }))
          .use(more)
          .handler(handler as never) as AnyHandler,
      event: restApiEvent,
    } satisfies StreamingSource,
  ],
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
