import middy from '@middy/core'
import type { HttpNormalizerOptions, HttpRequest, Middleware } from 'clearskies-middy'
import { alb } from 'clearskies-middy/normalizers/alb'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { vpcLattice } from 'clearskies-middy/normalizers/vpc-lattice'
import {
  type DescribedRequest,
  type GatewaySource,
  albEvent,
  functionUrlEvent,
  httpApiEvent,
  httpApiV1Event,
  invoke,
  restApiEvent,
  vpcLatticeEvent,
} from 'clearskies-middy/testing'
import { RecordingLogger } from './recording-logger.ts'

/** One HTTP source, for tests that run over all of them. */
export interface TestedSource {
  readonly name: GatewaySource
  readonly normalizer: (options?: HttpNormalizerOptions) => Middleware<HttpRequest>
  readonly event: (request?: DescribedRequest) => object
}

export const sources: readonly TestedSource[] = [
  { name: 'alb', normalizer: alb as TestedSource['normalizer'], event: (request) => albEvent(request) },
  {
    name: 'alb-multi-value',
    normalizer: alb as TestedSource['normalizer'],
    event: (request) => albEvent({ ...request, multiValue: true }),
  },
  {
    name: 'rest-api',
    normalizer: restApi as TestedSource['normalizer'],
    event: (request) => restApiEvent(request),
  },
  {
    name: 'http-api',
    normalizer: httpApi as TestedSource['normalizer'],
    event: (request) => httpApiEvent(request),
  },
  {
    name: 'http-api-1.0',
    normalizer: httpApi as TestedSource['normalizer'],
    event: (request) => httpApiV1Event(request),
  },
  {
    name: 'function-url',
    normalizer: httpApi as TestedSource['normalizer'],
    event: (request) => functionUrlEvent(request),
  },
  {
    name: 'vpc-lattice',
    normalizer: vpcLattice as TestedSource['normalizer'],
    event: (request) => vpcLatticeEvent(request),
  },
]

/** A response as the source's own gateway would read it. */
export interface SourceResponse {
  readonly statusCode: number
  readonly statusDescription?: string
  readonly headers?: Record<string, string | string[]>
  readonly multiValueHeaders?: Record<string, string[]>
  readonly cookies?: string[]
  readonly body: string
  readonly isBase64Encoded: boolean
}

/** Answers one described request with a handler, behind a source. */
export async function answer(
  source: TestedSource,
  request: DescribedRequest,
  handler: (request: HttpRequest) => unknown,
  options: HttpNormalizerOptions = {},
): Promise<SourceResponse & { readonly logger: RecordingLogger }> {
  const logger = new RecordingLogger()
  const wrapped = middy()
    .use(source.normalizer({ logger, ...options }))
    .handler(handler)
  const response = await invoke<SourceResponse>(wrapped, source.event(request))
  return { ...response, logger }
}

/** All values of a response header, whichever map they are in. */
export function responseHeader(
  { headers = {}, multiValueHeaders = {}, cookies }: SourceResponse,
  name: string,
): string[] {
  if (name === 'set-cookie' && cookies !== undefined) return cookies
  const single = headers[name]
  return [...[single ?? []].flat(), ...(multiValueHeaders[name] ?? [])]
}
