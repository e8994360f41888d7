import type { ALBEvent, APIGatewayProxyEvent } from 'aws-lambda'
import { albSource } from './alb.ts'
import {
  type HttpNormalizer,
  type HttpReader,
  type HttpWriter,
  type StreamingNormalizerOptions,
  normalizes,
  reads,
} from './http/normalizer.ts'
import type { HttpSourceSpec } from './http/http-source.ts'
import { type HttpApiEvent, httpApiSource } from './http-api.ts'
import type { HttpSource } from './http-request.ts'
import { encodeResponse } from './http/encode-response.ts'
import { restApiSource } from './rest-api.ts'
import { type NodeHttpEvent, nodeHttpSource } from './node-http.ts'
import { type VpcLatticeEvent, vpcLatticeSource } from './vpc-lattice.ts'

const anyHttpSource: HttpSourceSpec = {
  factory: 'anyHttp',
  wires: {
    ...albSource.wires,
    ...restApiSource.wires,
    ...httpApiSource.wires,
    ...vpcLatticeSource.wires,
    ...nodeHttpSource.wires,
    // Once more, behind the HTTP API, which takes those of SAM CLI as well.
    ...restApiSource.wires,
  },
}

/** The event of any HTTP source. */
export type AnyHttpEvent = ALBEvent | APIGatewayProxyEvent | HttpApiEvent | VpcLatticeEvent | NodeHttpEvent

/**
 * Reads the event of whichever HTTP source sent it.
 *
 * @throws InvalidEventError if none did
 * @example
 * ```ts
 * import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
 * import { albEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * console.log(anyHttpRequest(albEvent({ path: '/' }), lambdaContext()).source) // alb
 * ```
 */
export const anyHttpRequest: HttpReader<HttpSource, AnyHttpEvent> = reads(anyHttpSource)

/**
 * Turns a handler's result into what the request's source takes.
 *
 * @throws InvalidResponseError, ResponseTooLargeError
 * @example
 * ```ts
 * import { anyHttpRequest, anyHttpResponse } from 'clearskies-middy/normalizers/any-http'
 * import { functionUrlEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * const request = anyHttpRequest(functionUrlEvent(), lambdaContext())
 * console.log(await anyHttpResponse({ id: 7 }, request))
 * ```
 */
export const anyHttpResponse: HttpWriter<object> = encodeResponse

/**
 * Puts the handler behind every HTTP source at once: load balancer, REST API, HTTP API, function URL, VPC
 * Lattice and Node's own server. Where a function has one source only, that source's own normalizer is smaller and refuses the others.
 *
 * @throws InvalidEventError if the event is of no HTTP source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { anyHttp } from 'clearskies-middy/normalizers/any-http'
 *
 * export const handler = middy()
 *   .use(anyHttp())
 *   .handler(async (request) => `Hello from ${request.source}`)
 * ```
 */
export const anyHttp: HttpNormalizer<HttpSource, AnyHttpEvent, StreamingNormalizerOptions> =
  normalizes(anyHttpSource)
