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

const attributes = {
  domain: 'Domain',
  path: 'Path',
  expires: 'Expires',
  maxAge: 'Max-Age',
  httpOnly: 'HttpOnly',
  secure: 'Secure',
  sameSite: 'SameSite',
  partitioned: 'Partitioned',
} as const

/**
 * The `Set-Cookie` line of a cookie. The value is percent-encoded.
 *
 * @throws InvalidResponseError for a name that is no token, or an attribute with a character that would end it
 */
export function setCookieLine(cookie: Cookie | string): string {
  if (typeof cookie === 'string') return cookie
  if (!/^[\w!#$%&'*+\-.^`|~]+$/.test(cookie.name)) {
    throw new InvalidResponseError('A cookie has a name that is not an HTTP token')
  }
  let line = `${cookie.name}=${encodeURIComponent(cookie.value)}`
  for (const [key, name] of Object.entries(attributes)) {
    const value = cookie[key as keyof typeof attributes]
    if (value === undefined || value === false) continue
    const text = value instanceof Date ? value.toUTCString() : String(value)
    if (/[;\x00-\x1f\x7f]/.test(text)) {
      throw new InvalidResponseError(
        `The cookie "${cookie.name}" has a character in ${name} that would end it`,
      )
    }
    line += value === true ? `; ${name}` : `; ${name}=${text}`
  }
  return line
}
