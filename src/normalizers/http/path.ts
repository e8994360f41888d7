import { type UnknownRecord, asRecord, asString, emptyMap } from '../../core/record.ts'
import { BadRequestError } from '../../errors/index.ts'
import { contextOf } from './http-source.ts'

const plain = /^\/[\w\-.~!$&'()*+,;=:@/]*$/
const escapeOrOdd = /%[\da-f]{2}|%|[^\w\-.~!$&'()*+,;=:@/%]+/gi

/**
 * One spelling for every source: sources send a path encoded (ALB, REST API, function URL) or decoded (HTTP API).
 * Escapes get upper-case digits, or go where they were not needed (RFC 3986, 6.2.2); what may not stand in a path
 * (`?`, `#`, spaces, a lone `%`, other alphabets) is escaped, so that it can never end the path.
 */
export function canonicalPath(path: string): string {
  if (plain.test(path)) return path
  const rooted = path.startsWith('/') ? path : `/${path}`
  return rooted.replace(escapeOrOdd, (odd) => {
    if (!/^%./.test(odd)) return encodeURIComponent(odd.toWellFormed())
    const char = String.fromCharCode(parseInt(odd.slice(1), 16))
    return /[\w~-]/.test(char) ? char : odd.toUpperCase()
  })
}

export type BasePath = string | readonly string[] | RegExp

/** The part at the front of `path` that a base path takes away, ending at a `/`; `''` where none matches. */
export function matchBasePath(path: string, basePath: BasePath): string {
  const list: readonly (string | RegExp)[] =
    typeof basePath === 'string' || basePath instanceof RegExp ? [basePath] : basePath
  for (const one of list) {
    const prefix = typeof one === 'string' ? `/${one}`.replace(/\/+/, '/') : (path.match(one)?.[0] ?? '')
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
  if (stage === '$default' || /^(?!.*\.execute-api\.).*\.\w+$/s.test(asString(domainName) ?? '')) return ''
  return matchBasePath(path, asString(stage) ?? '')
}

/** `/products/{id}`, alone or behind a method. */
export function routeTemplate(route: unknown): string | undefined {
  return /\/.*/s.exec(asString(route) ?? '')?.[0]
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
  const filled = template.replace(
    /\{(.+?)\+?\}/g,
    (whole, name: string) => asString(parameters?.[name]) ?? whole,
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
