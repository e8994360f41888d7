import type { Context } from 'aws-lambda'
import type { Middleware } from '../../core/middy.ts'
import { checkOptions, is, isCount, isLogger } from '../../core/options.ts'
import { invalidEvent } from '../../events/advice.ts'
import { eventKind } from '../../events/event-kind.ts'
import { HttpRequest, type HttpRequestOptions, type HttpSource } from '../http-request.ts'
import { isDecompress } from './decompress.ts'
import type { HttpResponseOptions } from './encode-response.ts'
import { HttpHooks, type HttpNormalizerOptions, type StreamingNormalizerOptions } from './hooks.ts'
import { isHostList } from './hosts.ts'
import type { HttpSourceSpec } from './http-source.ts'
import { checkStreaming } from './streaming.ts'

export type { HttpNormalizerOptions, StreamingNormalizerOptions } from './hooks.ts'

const optionChecks = {
  trustedProxies: isCount,
  allowedHosts: isHostList,
  basePath: (value: unknown) => value instanceof RegExp || [value].flat().every(is('string')),
  stripStage: is('boolean'),
  decompress: isDecompress,
  errors: (value: unknown) => value === 'problem' || value === 'clearskies' || typeof value === 'function',
  isBinary: is('function'),
  logger: isLogger,
  onRequest: is('function'),
  streaming: is('boolean'),
}

/** Reads an event of one source. */
export type HttpReader<TSource extends HttpSource, TRaw> = (
  event: unknown,
  context: Context,
  options?: HttpRequestOptions,
) => HttpRequest<TSource, TRaw>

/** Turns a handler's result into what the request's source takes. */
export type HttpWriter<TResult extends object> = (
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
) => TResult | Promise<TResult>

/** Puts a handler behind one source. */
export type HttpNormalizer<TSource extends HttpSource, TRaw, TOptions = HttpNormalizerOptions> = (
  options?: TOptions,
) => Middleware<HttpRequest<TSource, TRaw>>

const noRequestOptions: HttpRequestOptions = {}

/** The function that makes the request of an event that one of the wires knows. */
export function reads<TSource extends HttpSource, TRaw>({
  factory,
  wires,
}: HttpSourceSpec): HttpReader<TSource, TRaw> {
  return (event, lambdaContext, options = noRequestOptions) => {
    const kind = eventKind(event)
    const wire = wires[kind]
    if (wire === undefined) throw invalidEvent(factory, Object.keys(wires), kind)
    return HttpRequest.of<TSource, TRaw>(event as TRaw, { wire, lambdaContext, options })
  }
}

/** The factory that joins the two, event to request and result to response, to Middy's hooks. */
export function normalizes<TSource extends HttpSource, TRaw>(
  spec: HttpSourceSpec,
): HttpNormalizer<TSource, TRaw, StreamingNormalizerOptions> {
  const read = reads<TSource, TRaw>(spec)
  return (options = {}) => {
    checkOptions(spec.factory, options, optionChecks)
    checkStreaming(spec, options)
    return new HttpHooks(spec.factory, read, options).middleware
  }
}
