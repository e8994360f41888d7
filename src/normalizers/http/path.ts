import { type UnknownRecord, asRecord, asString, emptyMap } from '../../core/record.ts'
import { BadRequestError } from '../../errors/index.ts'
import { type Wire, contextOf } from './http-source.ts'

const plainPath = /^\/[\w\-.~!$&'()*+,;=:@/]*$/
const escapeOrOdd = /%[\da-f]{2}|%|[^\w\-.~!$&'()*+,;=:@/%]+/gi
const dotSegment = /(?<=\/)\.{1,2}(?=\/|$)/g

/**
 * One spelling for every source: sources send a path encoded (ALB, REST API, function URL) or decoded (HTTP API).
 * Escapes get upper-case digits, or go where they were not needed (RFC 3986, 6.2.2); what may not stand in a path
 * (`?`, `#`, spaces, a lone `%`, other alphabets) is escaped, so that it can never end the path.
 *
 * The `URL` class resolves `.` and `..`, in every spelling, and would name another route than the gateway saw. So the dots
 * of such a segment are escaped twice: that is a name.
 */
export function canonicalPath(path: string): string {
  const rooted = path.startsWith('/') ? path : `/${path}`
  const spelled = plainPath.test(rooted) ? rooted : rooted.replace(escapeOrOdd, respell)
  return spelled.includes('/.') ? spelled.replace(dotSegment, (dots) => '%252E'.repeat(dots.length)) : spelled
}

function respell(odd: string): string {
  if (!/^%./.test(odd)) return encodeURIComponent(odd.toWellFormed())
  const char = String.fromCharCode(parseInt(odd.slice(1), 16))
  return /[\w.~-]/.test(char) ? char : odd.toUpperCase()
}

/** The event's path, and the application's own with what was taken off in front of it. */
export interface SplitPath {
  readonly whole: string
  readonly prefix: string
  readonly path: string
}

/** Takes off the path what is not the application's. */
export function splitPath(
  event: UnknownRecord,
  wire: Wire,
  { basePath = [], stripStage = true }: PathOptions,
): SplitPath {
  const whole = canonicalPath(asString(wire.path(event)) ?? '/')
  const prefix = stripStage ? wire.prefix(event, whole) : ''
  const rest = whole.slice(prefix.length)
  const own = matchBasePath(rest, basePath)
  return { whole, prefix: prefix + own, path: rest.slice(own.length) || '/' }
}

interface PathOptions {
  readonly basePath?: BasePath
  readonly stripStage?: boolean
}

export type BasePath = string | readonly string[] | RegExp

/** The part at the front of `path` that a base path takes away, ending at a `/`; `''` where none matches. */
export function matchBasePath(path: string, basePath: BasePath): string {
  const list: readonly (string | RegExp)[] =
    typeof basePath === 'string' || basePath instanceof RegExp ? [basePath] : basePath
  for (const option of list) {
    const prefix =
      typeof option === 'string'
        ? canonicalPath(`/${option}`.replace(/\/+/, '/'))
        : (path.match(option)?.[0] ?? '')
    const bare = prefix.replace(/\/$/, '')
    if (bare && `${path}/`.startsWith(`${bare}/`)) return bare
  }
  return ''
}

/**
 * The stage that an HTTP API leaves in front of the path, on its own domain. A custom domain leaves it out, and there a
 * route may begin with the same word.
 */
export function stagePrefix(path: string, raw: UnknownRecord): string {
  const { stage, domainName } = contextOf(raw)
  if (stage === '$default' || isCustomDomain(asString(domainName) ?? '')) return ''
  return matchBasePath(path, asString(stage) ?? '')
}

function isCustomDomain(domain: string): boolean {
  return /\.[\w-]+$/.test(domain) && !domain.includes('.execute-api.')
}

/** `/products/{id}`, alone or behind a method. */
export function routeTemplate(route: unknown): string | undefined {
  return /\/.*/s.exec(asString(route) ?? '')?.[0]
}

/**
 * What the client's address has in front of a REST API's path: the stage on the API's own domain, or the mapping of a
 * custom domain. The console's test event has a template in its place, which tells nothing.
 */
export function clientPrefix(path: string, raw: UnknownRecord): string {
  const given = asString(contextOf(raw)['path'])
  if (given === undefined || /[{}]/.test(given)) return ''
  const whole = canonicalPath(given)
  if (whole.endsWith(path)) return whole.slice(0, -path.length)
  return path === '/' ? whole : ''
}

/**
 * The mapping that a custom domain of a REST API leaves in front of the path: what remains when the route's template,
 * filled with the path parameters, is taken from its end.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
 */
export function mappingPrefix(path: string, { resource, pathParameters }: UnknownRecord): string {
  const parameters = asRecord(pathParameters)
  const template = routeTemplate(resource) ?? path
  const filled = canonicalPath(
    template.replace(
      /\{([^{}]+)\}/g,
      (whole, name: string) => asString(parameters?.[name.replace(/\+$/, '')]) ?? whole,
    ),
  )
  const end = filled === '/' && !path.endsWith('/') ? '' : filled
  return path.endsWith(end) ? path.slice(0, path.length - end.length) : ''
}

/** Path parameters: text only, no prototype. `isEncoded` tells which of them are still encoded. */
export function readPathParameters(
  given: UnknownRecord | undefined,
  isEncoded: (name: string, value: string) => boolean,
): Record<string, string> {
  const map = emptyMap<string>()
  for (const name in given) {
    const value = given[name]
    if (typeof value === 'string') map[name] = isEncoded(name, value) ? decodeParameter(name, value) : value
  }
  return map
}

/** A path parameter as text. @throws BadRequestError for a malformed escape */
function decodeParameter(name: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new BadRequestError(`The path parameter "${name}" has a malformed percent-encoding`)
  }
}
