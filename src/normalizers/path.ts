import { BadRequestError } from '../errors.ts'

const plain = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/])*$/
const escapeOrOdd = /%[0-9a-fA-F]{2}|%|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+/g
const unreserved = /^[A-Za-z0-9\-_~]$/

/**
 * One spelling for every source: sources send a path encoded (ALB, REST API, function URL) or decoded (HTTP API).
 * Escapes get upper-case digits, or go where they were not needed (RFC 3986, 6.2.2); what may not stand in a path
 * (`?`, `#`, spaces, a lone `%`, other alphabets) is escaped, so that it can never end the path.
 */
export function canonicalPath(path: string): string {
  if (plain.test(path)) return path
  const rooted = path.startsWith('/') ? path : `/${path}`
  return rooted.replace(escapeOrOdd, (odd) => {
    if (odd.startsWith('%') && odd.length === 3) {
      const char = String.fromCharCode(parseInt(odd.slice(1), 16))
      return unreserved.test(char) ? char : odd.toUpperCase()
    }
    return encodeURIComponent(odd.toWellFormed())
  })
}

/** Whether `path` lies under `prefix`, at a boundary: `/dev` holds `/dev` and `/dev/x`, not `/development`. */
function isUnder(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charAt(prefix.length) === '/')
}

export type BasePath = string | readonly string[] | RegExp

/** The part of `path` that the option `basePath` takes away; `''` where it does not match. */
export function matchBasePath(path: string, basePath: BasePath): string {
  if (basePath instanceof RegExp) {
    const found = new RegExp(basePath.source, basePath.flags.replace(/[gy]/g, '')).exec(path)
    return found?.index === 0 && isUnder(path, found[0]) ? withoutTrailingSlash(found[0]) : ''
  }
  for (const one of typeof basePath === 'string' ? [basePath] : basePath) {
    const prefix = withoutTrailingSlash(one.startsWith('/') ? one : `/${one}`)
    if (prefix !== '' && isUnder(path, prefix)) return prefix
  }
  return ''
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

/**
 * The stage that an HTTP API leaves in front of the path. On its own domain it is always there; a custom domain leaves
 * it out, and there a route may begin with the same word, so the route's template has to prove that it was added.
 */
export function stagePrefix(
  path: string,
  stage: string | undefined,
  domain: string | undefined,
  template: string | undefined,
): string {
  if (!stage || stage === '$default') return ''
  const prefix = `/${stage}`
  if (!isUnder(path, prefix)) return ''
  const ownDomain = domain === undefined || /\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/i.test(domain)
  if (ownDomain) return prefix
  if (template === undefined) return ''
  return matchesTemplate(path.slice(prefix.length) || '/', template) && !matchesTemplate(path, template)
    ? prefix
    : ''
}

function matchesTemplate(path: string, template: string): boolean {
  const pattern = template
    .split('/')
    .map((part) =>
      /^\{.+\+\}$/.test(part)
        ? '.+'
        : /^\{.+\}$/.test(part)
          ? '[^/]+'
          : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
    )
  return new RegExp(`^${pattern.join('/')}/?$`).test(path)
}

/**
 * The mapping that a custom domain of a REST API leaves in front of the path: what remains when the route's template,
 * filled with the path parameters, is taken from its end.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
 */
export function mappingPrefix(
  path: string,
  template: string | null | undefined,
  parameters: Readonly<Record<string, string | null | undefined>> | null | undefined,
): string {
  if (!template || path === template) return ''
  if (template === '/') return withoutTrailingSlash(path)
  const filled = template.replace(/\{([^}+]+)\+?\}/g, (whole, name: string) => parameters?.[name] ?? whole)
  return path !== filled && path.endsWith(filled) && filled.startsWith('/')
    ? path.slice(0, -filled.length)
    : ''
}

/** A path parameter as text. @throws BadRequestError for a malformed escape */
export function decodeParameter(name: string, value: unknown): string {
  const text = String(value)
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new BadRequestError(`The path parameter "${name}" has a malformed percent-encoding`)
  }
}
