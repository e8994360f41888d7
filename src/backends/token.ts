import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { InvalidTokenError } from '../errors.ts'

/**
 * Page tokens: a position, and a code that binds it to one query. Without a secret the code is a plain hash: it keeps
 * a token from being used for another query by mistake, not from being made by somebody who knows how.
 */
export function writeToken(position: unknown, query: unknown, secret: string | undefined): string {
  const payload = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${payload}.${codeOf(payload, query, secret).toString('base64url')}`
}

/** @throws InvalidTokenError for a token that was changed or is another query's */
export function readToken(token: string, query: unknown, secret: string | undefined): unknown {
  const [payload = '', code = '', ...rest] = token.split('.')
  const given = Buffer.from(code, 'base64url')
  const expected = codeOf(payload, query, secret)
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new InvalidTokenError()
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString())
  } catch (cause) {
    throw new InvalidTokenError({ cause })
  }
}

function codeOf(payload: string, query: unknown, secret: string | undefined): Buffer {
  const hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  return hash.update(JSON.stringify(query)).update('\0').update(payload).digest().subarray(0, 16)
}
