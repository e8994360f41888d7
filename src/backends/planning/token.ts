import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { InvalidTokenError } from '../../errors/index.ts'

/** How page tokens are made. */
export interface TokenOptions {
  /** Without it a token is bound to its query by a plain hash: against mistakes, and not against somebody who knows how. */
  readonly tokenSecret?: string | undefined
  /** Whether tokens are encrypted, too: they name the key of the last item. Needs a secret. */
  readonly encryptTokens?: boolean | undefined
}

/** More than any position needs: keys have at most 3 KB, but a scan may stand in many segments. */
const maxLength = 262_144

/** A page token: a position, and a code that binds it to one query. */
export function writeToken(position: unknown, query: unknown, options: TokenOptions): string {
  const text = JSON.stringify(position)
  if (options.encryptTokens === true) return encrypt(text, query, options)
  const payload = Buffer.from(text).toString('base64url')
  return `${payload}.${codeOf(payload, query, options)}`
}

/** @throws InvalidTokenError for a token that was changed or is another query's */
export function readToken(token: string, query: unknown, options: TokenOptions): unknown {
  if (typeof token !== 'string' || token.length > maxLength) throw new InvalidTokenError()
  try {
    return JSON.parse(
      options.encryptTokens === true ? decrypt(token, query, options) : opened(token, query, options),
    )
  } catch (cause) {
    throw cause instanceof InvalidTokenError ? cause : new InvalidTokenError({ cause })
  }
}

function opened(token: string, query: unknown, options: TokenOptions): string {
  const [payload = '', code = '', ...rest] = token.split('.')
  // As texts: there are several for the same bytes.
  const given = Buffer.from(code)
  const expected = Buffer.from(codeOf(payload, query, options))
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new InvalidTokenError()
  return Buffer.from(payload, 'base64url').toString()
}

function codeOf(payload: string, query: unknown, { tokenSecret }: TokenOptions): string {
  const hash = tokenSecret === undefined ? createHash('sha256') : createHmac('sha256', tokenSecret)
  const code = hash.update(canonical(query)).update('\0').update(payload).digest()
  return code.subarray(0, 16).toString('base64url')
}

const cipher = 'aes-256-gcm'

function encrypt(text: string, query: unknown, options: TokenOptions): string {
  const nonce = randomBytes(12)
  const sealing = createCipheriv(cipher, keyOf(options), nonce).setAAD(Buffer.from(canonical(query)))
  const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
  return Buffer.concat([nonce, sealing.getAuthTag(), sealed]).toString('base64url')
}

function decrypt(token: string, query: unknown, options: TokenOptions): string {
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.toString('base64url') !== token) throw new InvalidTokenError()
  const opening = createDecipheriv(cipher, keyOf(options), bytes.subarray(0, 12))
    .setAAD(Buffer.from(canonical(query)))
    .setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([opening.update(bytes.subarray(28)), opening.final()]).toString('utf8')
}

function keyOf({ tokenSecret = '' }: TokenOptions): Buffer {
  return createHash('sha256').update('page token\0').update(tokenSecret).digest()
}

/** JSON for what JSON has no form: two values of different types never read alike. */
function canonical(query: unknown): string {
  return JSON.stringify(query, function (this: Readonly<Record<string, unknown>>, key, value: unknown) {
    // A Buffer has a form of its own, and is the same bytes.
    const raw = this[key]
    if (raw instanceof Uint8Array) return { bytes: Buffer.from(raw).toString('base64') }
    if (typeof value === 'bigint') return { number: value.toString() }
    return value instanceof Set ? { set: Array.from<unknown>(value) } : value
  })
}
