import { type UnknownRecord, asRecord } from '../../core/record.ts'
import type { Authorizer } from './authorizer.ts'

/** The event sources that speak HTTP. */
export type HttpSource = 'alb' | 'rest-api' | 'http-api' | 'function-url'

/** The part of an event that tells of the source. */
export function contextOf(raw: UnknownRecord): UnknownRecord {
  return asRecord(raw['requestContext']) ?? {}
}

/** How a source spells a request in its event, where sources differ. Pure readers, called when somebody looks. */
export interface Wire {
  readonly source: HttpSource
  method(raw: UnknownRecord): unknown
  path(raw: UnknownRecord): unknown
  /** What stands in front of the application's own path: a stage, the mapping of a custom domain. */
  prefix(raw: UnknownRecord, path: string): string
  /** The peer's address, where the source tells it. */
  sourceIp(raw: UnknownRecord): unknown
  authorizer(raw: UnknownRecord, header: (name: string) => string | undefined): Authorizer
  /** The field with the route's template. */
  readonly route?: 'resource' | 'routeKey'
  /** What arrives as the client encoded it. */
  readonly encoded?: 'query' | 'path-parameters'
}
