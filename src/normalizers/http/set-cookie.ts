import { InvalidResponseError } from '../../errors/index.ts'

/** A cookie to set. https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie */
export interface Cookie {
  readonly name: string
  readonly value: string
  readonly domain?: string
  readonly path?: string
  readonly expires?: Date
  /** Seconds. */
  readonly maxAge?: number
  readonly httpOnly?: boolean
  readonly secure?: boolean
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
  readonly partitioned?: boolean
}

interface Attribute {
  readonly name: string
  /** Its text; `undefined` for a value that it cannot have. */
  readonly write: (value: unknown) => string | undefined
}

const textOrNothing = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const flag = (value: unknown): string | undefined => (value === true ? '' : undefined)

const attributes: Readonly<Record<string, Attribute>> = {
  domain: { name: 'Domain', write: textOrNothing },
  path: { name: 'Path', write: textOrNothing },
  expires: {
    name: 'Expires',
    write: (value) =>
      value instanceof Date && !Number.isNaN(value.getTime()) ? value.toUTCString() : undefined,
  },
  maxAge: { name: 'Max-Age', write: (value) => (Number.isSafeInteger(value) ? String(value) : undefined) },
  httpOnly: { name: 'HttpOnly', write: flag },
  secure: { name: 'Secure', write: flag },
  sameSite: {
    name: 'SameSite',
    write: (value) => (value === 'Strict' || value === 'Lax' || value === 'None' ? value : undefined),
  },
  partitioned: { name: 'Partitioned', write: flag },
}

/**
 * The `Set-Cookie` line of a cookie. The value is percent-encoded.
 *
 * @throws InvalidResponseError for a name that is no token, and for an attribute that is unknown, has a wrong value, or a
 * character that would end it
 */
export function setCookieLine(cookie: Cookie | string): string {
  if (typeof cookie === 'string') return cookie
  const { name, value, ...rest }: Partial<Record<string, unknown>> = { ...cookie }
  if (typeof name !== 'string' || !/^[\w!#$%&'*+\-.^`|~]+$/.test(name))
    throw new InvalidResponseError('A cookie has a name that is not an HTTP token')
  if (typeof value !== 'string' || !value.isWellFormed())
    throw new InvalidResponseError(`The cookie "${name}" has a value that is no well-formed text`)
  let line = `${name}=${encodeURIComponent(value)}`
  for (const [key, given] of Object.entries(rest)) line += cookieAttribute(name, key, given)
  return line
}

function cookieAttribute(cookie: string, key: string, value: unknown): string {
  const attribute = Object.hasOwn(attributes, key) ? attributes[key] : undefined
  if (attribute === undefined)
    throw new InvalidResponseError(`The cookie "${cookie}" has an unknown attribute "${key}"`)
  if (value === undefined || value === false) return ''
  const written = attribute.write(value)
  if (written === undefined)
    throw new InvalidResponseError(`The cookie "${cookie}" has a wrong value in ${attribute.name}`)
  if (/[;\x00-\x1f\x7f]/.test(written))
    throw new InvalidResponseError(
      `The cookie "${cookie}" has a character in ${attribute.name} that would end it`,
    )
  return `; ${attribute.name}${written && `=${written}`}`
}
