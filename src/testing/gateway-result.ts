import type { UnknownRecord } from '../core/record.ts'
import { mediaTypeMatches } from './rest-api-event.ts'
import type { StreamedResponse } from './streaming-runtime.ts'

/** The gateways that `gateway()` can stand for. */
export type GatewaySource =
  'alb' | 'alb-multi-value' | 'rest-api' | 'http-api' | 'http-api-1.0' | 'function-url' | 'vpc-lattice'

/** What goes back to the client. */
export interface GatewayReply {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** In place of the body: what the function produces as it goes. */
  readonly stream?: StreamedResponse
  /** Why the function's result was refused. */
  readonly reason?: string
}

/** What a gateway knows beside the result. */
export interface GatewaySetting {
  readonly source: GatewaySource
  readonly event: object
  readonly accept: string
  readonly binaryMediaTypes: readonly string[]
}

/** In bytes of JSON. */
const gatewayLimits: Readonly<Record<GatewaySource, number>> = {
  alb: 1_048_576,
  'alb-multi-value': 1_048_576,
  'rest-api': 6_291_556,
  'http-api': 6_291_556,
  'http-api-1.0': 6_291_556,
  'function-url': 6_291_556,
  'vpc-lattice': 6_291_556,
}

export const gatewaySources: readonly string[] = Object.keys(gatewayLimits)

/** Reads a function's result as a gateway does, and refuses what that gateway refuses. */
export function readResult(result: unknown, setting: GatewaySetting): GatewayReply {
  const { source, event } = setting
  try {
    const size = Buffer.byteLength(JSON.stringify(result))
    if (size > gatewayLimits[source]) throw new RefusedResult(`the result is ${size} bytes`)
    if (source === 'http-api' || source === 'function-url') return payloadV2Reply(result)
    const fields = envelope(result)
    if (source === 'vpc-lattice') return latticeReply(fields)
    return source === 'rest-api' || source === 'http-api-1.0'
      ? payloadV1Reply(fields, setting)
      : albReply(fields, event)
  } catch (error) {
    if (!(error instanceof RefusedResult)) throw error
    return {
      status: 502,
      headers: [['content-type', 'text/html']],
      body: Buffer.from('<h1>502 Bad Gateway</h1>'),
      reason: error.message,
    }
  }
}

class RefusedResult extends Error {
  override name = 'RefusedResult'
}

function envelope(result: unknown): UnknownRecord {
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw new RefusedResult('the result is not an object')
  return result as UnknownRecord
}

function albReply(result: UnknownRecord, event: object): GatewayReply {
  const { statusCode, body = '', isBase64Encoded = false } = result
  const status = checkedStatus(typeof statusCode === 'number' ? statusCode : NaN)
  const map = result['multiValueHeaders']
  const multiValue = 'multiValueHeaders' in event
  for (const key of ['headers', 'multiValueHeaders'])
    if (result[key] === null) throw new RefusedResult(`${key} is null`)
  const headers = multiValue ? headerLists(map) : singles(result['headers'])
  const description = result['statusDescription']
  if (description !== undefined && (typeof description !== 'string' || !description.startsWith(`${status} `)))
    throw new RefusedResult('the statusDescription does not begin with the status')
  return {
    status,
    headers: withDefault(headers, 'application/octet-stream', body),
    body: bodyOf(body, isBase64Encoded),
  }
}

/** Headers are texts or lists. */
function latticeReply({
  statusCode,
  headers,
  body = '',
  isBase64Encoded = false,
}: UnknownRecord): GatewayReply {
  const status = checkedStatus(statusCode)
  const lines = Object.entries(headers ?? {}).flatMap(([name, values]) =>
    [values as unknown].flat().map((value) => line(name, value)),
  )
  return {
    status,
    headers: withDefault(lines, 'application/octet-stream', body),
    body: bodyOf(body, isBase64Encoded),
  }
}

const payloadV1Keys = new Set(['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded'])

function payloadV1Reply(
  result: UnknownRecord,
  { source, accept, binaryMediaTypes }: GatewaySetting,
): GatewayReply {
  const unknown = Object.keys(result).find((key) => !payloadV1Keys.has(key))
  if (unknown !== undefined) throw new RefusedResult(`a REST API knows no key "${unknown}"`)
  const { statusCode, body, isBase64Encoded = false } = result
  const status = checkedStatus(typeof statusCode === 'string' ? Number(statusCode) : statusCode)
  const headers = [...singles(result['headers'] ?? {}), ...headerLists(result['multiValueHeaders'] ?? {})]
  const names = headers.map(([name]) => name.toLowerCase())
  const single = new Set(
    Object.keys((result['headers'] as object | null | undefined) ?? {}).map((name) => name.toLowerCase()),
  )
  const twice = Object.keys((result['multiValueHeaders'] as object | null | undefined) ?? {}).find((name) =>
    single.has(name.toLowerCase()),
  )
  if (twice !== undefined)
    throw new RefusedResult(`the header "${twice}" is in both maps, so that it would be sent twice`)
  const type = headers[names.indexOf('content-type')]?.[1] ?? ''
  // Without a matching binary media type a REST API hands base64 through as it is.
  const [firstAccepted = ''] = accept.split(',')
  const decodes =
    source === 'http-api-1.0' ||
    binaryMediaTypes.some(
      (pattern) => mediaTypeMatches(pattern, firstAccepted) || mediaTypeMatches(pattern, type),
    )
  return {
    status,
    headers: withDefault(
      headers.map(([name, value]) => [remapped(name), value] as const),
      'application/json',
      body,
    ),
    body: bodyOf(body ?? '', isBase64Encoded === true && decodes),
  }
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html */
function remapped(name: string): string {
  return /^(?:authorization|connection|content-length|content-md5|date|expect|server|te|trailer|upgrade|www-authenticate)$/i.test(
    name,
  )
    ? `x-amzn-remapped-${name}`
    : name
}

function payloadV2Reply(result: unknown): GatewayReply {
  const fields =
    typeof result === 'object' && result !== null && !Array.isArray(result) ? (result as UnknownRecord) : {}
  if (fields['statusCode'] === undefined) {
    const body =
      typeof result === 'string'
        ? result
        : result === null || result === undefined
          ? ''
          : JSON.stringify(result)
    return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(body) }
  }
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded = false } = fields
  const status = checkedStatus(statusCode)
  if (!Array.isArray(cookies) || cookies.some((cookie) => typeof cookie !== 'string'))
    throw new RefusedResult('cookies is not a list of strings')
  const lines = [
    ...singles(headers ?? {}),
    ...cookies.map((cookie: string) => ['set-cookie', cookie] as const),
  ]
  return {
    status,
    headers: withDefault(lines, 'text/plain; charset=utf-8', body),
    body: bodyOf(body ?? '', isBase64Encoded),
  }
}

function checkedStatus(status: unknown): number {
  if (!Number.isInteger(status) || (status as number) < 100 || (status as number) > 599)
    throw new RefusedResult(`the statusCode is ${JSON.stringify(status)}`)
  return status as number
}

type Line = readonly [name: string, value: string]

function singles(map: unknown): Line[] {
  return Object.entries(map ?? {}).map(([name, value]) => line(name, value))
}

function headerLists(map: unknown): Line[] {
  return Object.entries(map ?? {}).flatMap(([name, values]) => {
    if (!Array.isArray(values)) throw new RefusedResult(`multiValueHeaders has no list for "${name}"`)
    return values.map((value) => line(name, value))
  })
}

function line(name: string, value: unknown): Line {
  if (typeof value !== 'string') throw new RefusedResult(`the header "${name}" is not a string`)
  if (/[\r\n\0]/.test(name + value)) throw new RefusedResult(`the header "${name}" has a line break`)
  return [name, value]
}

function withDefault(headers: readonly Line[], type: string, body: unknown): Line[] {
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type')
  return hasType || body === '' || body === undefined || body === null
    ? [...headers]
    : [...headers, ['content-type', type]]
}

function bodyOf(body: unknown, isBase64Encoded: unknown): Buffer {
  if (typeof body !== 'string')
    throw new RefusedResult(`the body is ${body === null ? 'null' : typeof body}, not a string`)
  return Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8')
}
