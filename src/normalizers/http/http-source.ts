import type { Readable } from 'node:stream'
import { type UnknownRecord, asRecord } from '../../core/record.ts'
import type { Logger } from '../../core/logger.ts'
import type { EventKind } from '../../events/event-kind.ts'
import type { HttpSource } from '../../events/event-sources.ts'
import type { Authorizer } from './authorizer.ts'

/** All that differs between the sources that speak HTTP. */
export interface HttpSourceSpec {
  /** The normalizer, as messages call it. */
  readonly factory: string
  /** How each kind of event that the normalizer takes is spelled. */
  readonly wires: Readonly<Partial<Record<EventKind, Wire>>>
}

/** How a source spells a request in its event, where sources differ. Pure readers, called when somebody looks. */
export interface Wire {
  readonly source: HttpSource
  /**
   * The event in payload 1.0's words, where the source has other words for them. The other readers get this view. Read are
   * `headers`, `multiValueHeaders`, `cookies` (a list), `queryStringParameters`, `multiValueQueryStringParameters` or
   * `rawQueryString`, `pathParameters`, `body`, `isBase64Encoded`, and of `requestContext` `requestId`, `stage` and `domainName`.
   */
  view?(raw: UnknownRecord): UnknownRecord
  method(event: UnknownRecord): unknown
  path(event: UnknownRecord): unknown
  /** What stands in front of the application's own path: a stage, the mapping of a custom domain. */
  prefix(event: UnknownRecord, path: string): string
  /** What the client's address has in front of the event's path. */
  clientPrefix?(event: UnknownRecord, path: string): string
  /** The peer's address, where the source tells it. */
  sourceIp(event: UnknownRecord): unknown
  authorizer(event: UnknownRecord, header: (name: string) => string | undefined): Authorizer
  /** The field with the route's template. */
  readonly route?: 'resource' | 'routeKey'
  /** What arrives as the client encoded it. */
  readonly encoded?: 'query' | 'path-parameters'
  /** Of a load balancer, which appends the peer to `X-Forwarded-For`: the header with the protocol. */
  readonly protocolHeader?: string
  /** How many proxies append to `X-Forwarded-For`, where that hangs on where the process runs. */
  trustedProxies?(event: UnknownRecord): number
  /** The protocol, where the source tells it itself; `forwarded` is what a trusted proxy says. */
  protocol?(event: UnknownRecord, forwarded: string | undefined): 'http' | 'https'
  /** Aborted when the client leaves, where the source tells. Gets the event as it came. */
  signal?(raw: unknown): AbortSignal
  /** A body that is too long to be read whole, where the source lets one through. Gets the event as it came. */
  stream?(raw: unknown): ReadableStream<Uint8Array>
  /** How the source takes a response. */
  readonly target: ResponseTarget
}

/** The part of an event that tells of the source. */
export function contextOf(event: UnknownRecord): UnknownRecord {
  return asRecord(event['requestContext']) ?? {}
}

/** Headers by lower-case name: one line, or several. */
export type WireHeaders = Record<string, string | string[]>

/** A response that is ready but for the names that its source uses. */
export interface WireResponse<TBody = string | Buffer | Readable> {
  readonly statusCode: number
  readonly headers: WireHeaders
  readonly cookies: string[]
  readonly body: TBody
  readonly isBase64Encoded: boolean
}

/** What a source takes. */
export interface ResponseTarget {
  /** Whether it takes a body as it is produced: with the option `streaming`, or at all times. */
  readonly streams?: 'by option' | 'always'
  /** In bytes of the whole result as JSON. */
  readonly limit: number
  /** Gives a response the names that the source uses; `onRequest` reads the status as `statusCode`. */
  shape(response: WireResponse, raw: unknown, logger: Logger | undefined): object
}

/** One line per name, for sources that know no lists. */
export function singleLines(headers: WireHeaders): Record<string, string> {
  for (const name in headers) {
    const lines = headers[name]
    if (Array.isArray(lines)) headers[name] = lines.join(', ')
  }
  return headers as Record<string, string>
}
