import type { Authorizer } from './authorizer.ts'
import type { HttpRequest, HttpSource } from './http-request.ts'

/** An event, or a part of one: AWS leaves a field out or sends null, and test tools send what they like. */
export type Fields = Readonly<Record<string, unknown>>

/** A part of an event; what is no object counts as absent. */
export function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined
}

/** A text of an event; what is no text counts as absent. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The part of an event that tells of the source. */
export function contextOf(raw: Fields): Fields {
  return fields(raw['requestContext']) ?? {}
}

/** How a source spells a request in its event, where sources differ. Pure readers, called when somebody looks. */
export interface Wire {
  readonly source: HttpSource
  method(raw: Fields): unknown
  path(raw: Fields): unknown
  /** What stands in front of the application's own path: a stage, the mapping of a custom domain. */
  prefix(raw: Fields, path: string): string
  /** The peer's address, where the source tells it. */
  sourceIp(raw: Fields): unknown
  authorizer(raw: Fields, request: HttpRequest): Authorizer
  /** The field with the route's template. */
  readonly route?: 'resource' | 'routeKey'
  /** What arrives as the client encoded it. */
  readonly encoded?: 'query' | 'path-parameters'
}
