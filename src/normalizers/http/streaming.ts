import { asRecord } from '../../core/record.ts'
import { HttpRequest } from '../http-request.ts'
import type { HttpSourceSpec } from './http-source.ts'

/** The option of the normalizers whose source can take a response as it is produced. */
export interface StreamingOptions {
  /**
   * For a chain with Middy's `executionModeStreamifyResponse`, of which a request does not tell: bodies leave as they are
   * produced, without base64 and without a limit of size. Behind a function URL (`InvokeMode: RESPONSE_STREAM`) and a REST
   * API (`responseTransferMode: STREAM`).
   * @default false
   */
  readonly streaming?: boolean
}

/** @throws TypeError where no source of a normalizer streams */
export function checkStreaming({ factory, wires }: HttpSourceSpec, { streaming }: StreamingOptions): void {
  const streams = Object.values(wires).some((wire) => wire?.target.streams === 'by option')
  if (streaming === true && !streams)
    throw new TypeError(`${factory}() has no option "streaming": only function URLs and REST APIs stream`)
}

/** Why no answer to a request would be understood, where a chain is for streams and the request is not. */
export function whyBuffered(request: HttpRequest, { streaming }: StreamingOptions): string | undefined {
  const { streams } = HttpRequest.targetOf(request)
  if (streaming !== true || streams === 'always') return undefined
  if (streams === undefined)
    return `The option "streaming" is for function URLs and REST APIs, and this request came from the source "${request.source}"`
  if (hasStreamingRuntime()) return undefined
  return 'The option "streaming" is for Middy\'s executionModeStreamifyResponse, which the runtime of Lambda serves: in a test, call streamingRuntime() of clearskies-middy/testing before the chain is made'
}

/** Whether Lambda's runtime, or what stands in for it, serves streams. The SDK of AWS leaves an `awslambda` of its own. */
export function hasStreamingRuntime(): boolean {
  const { awslambda } = asRecord(globalThis)
  return typeof asRecord(awslambda)?.['streamifyResponse'] === 'function'
}
