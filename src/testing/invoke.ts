import { isUtf8 } from 'node:buffer'
import type { AnyHandler } from '../core/middy.ts'
import type { Context } from 'aws-lambda'
import { lambdaContext } from './lambda-context.ts'
import { invokeStreaming, isStreaming } from './streaming-runtime.ts'

export type { AnyHandler } from '../core/middy.ts'

/**
 * Invokes a handler as Lambda does: the event and the result pass through JSON, and every invocation has a context of
 * its own. A response that is streamed is collected: status, headers and `body`, which is base64 only if it is no text.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { invocation } from 'clearskies-middy/normalizers/invocation'
 * import { invoke } from 'clearskies-middy/testing'
 *
 * const handler = middy().use(invocation()).handler(async ({ data }) => ({ received: data }))
 * console.log(await invoke(handler, { id: 7 })) // { received: { id: 7 } }
 * ```
 */
// The result is whatever the handler gives; naming it is up to the caller.

export async function invoke<TResult = unknown>(
  handler: AnyHandler,
  event: unknown,
  context: Context = lambdaContext(),
): Promise<TResult> {
  if (isStreaming(handler)) return (await collectedResponse(handler, throughJson(event), context)) as TResult
  const result: unknown = await handler(throughJson(event), context)
  return throughJson(result) as TResult
}

/** A streamed response as one result, with its bytes as text where they are text. */
async function collectedResponse(handler: AnyHandler, event: unknown, context: Context): Promise<object> {
  const { metadata, body, done } = await invokeStreaming(handler, event, context)
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  await done
  const bytes = Buffer.concat(chunks)
  const isText = isUtf8(bytes)
  return { ...metadata, body: bytes.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText }
}

function throughJson(value: unknown): unknown {
  const json = JSON.stringify(value) as string | undefined
  return json === undefined ? null : (JSON.parse(json) as unknown)
}
