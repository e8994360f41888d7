import { is } from '../../core/options.ts'
import { ConfigurationError, InvalidTokenError } from '../../errors/index.ts'

// The facade of an ES module evaluates what is lazy, which takes ten times as long.
const { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } =
  process.getBuiltinModule('node:crypto')

/** How page tokens are made. */
export interface TokenOptions {
  /**
   * Signs page tokens: a text of at least 16 characters, or a function that gives one when it is first needed. Without it
   * a token is bound to its query by a plain hash: against mistakes, and not against somebody who knows how.
   */
  readonly tokenSecret?: TokenSecret
  /** Encrypts page tokens, which hold the key of the last item that was read. Needs `tokenSecret`. @default false */
  readonly encryptTokens?: boolean
}

/** A secret of page tokens: a text of at least 16 characters, or a function that gives one when it is first needed. */
export type TokenSecret = string | (() => string | undefined)

/** Fewer could be tried out. */
const minSecret = 16

/** The checks of the options, for `checkOptions()`. */
export const tokenChecks: Readonly<Record<keyof TokenOptions, (value: unknown) => boolean>> = {
  tokenSecret: (value) => typeof value === 'string' || typeof value === 'function',
  encryptTokens: is('boolean'),
}

/** @throws TypeError for a secret that is too short, among them the text `undefined`, or for encryption without one */
export function checkTokenOptions(factory: string, { tokenSecret, encryptTokens }: TokenOptions): void {
  if (typeof tokenSecret === 'string' && !isSecret(tokenSecret))
    throw new TypeError(`${factory}(): the option "tokenSecret" takes at least ${minSecret} characters`)
  if (encryptTokens === true && tokenSecret === undefined)
    throw new TypeError(`${factory}(): the option "encryptTokens" needs "tokenSecret"`)
}

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && value.trim().length >= minSecret
}

/** @throws ConfigurationError where a function gives no secret: a token is never left unsigned by accident */
function secretOf({ tokenSecret }: TokenOptions): string | undefined {
  if (typeof tokenSecret !== 'function') return tokenSecret
  const secret = tokenSecret()
  if (isSecret(secret)) return secret
  throw new ConfigurationError(
    `The function "tokenSecret" gave no text of at least ${minSecret} characters, perhaps because an environment variable is not set`,
  )
}

/** More than any position needs: keys have at most 3 KB, but a scan may stand in many segments. */
const maxLength = 262_144

/** A page token: a position, and a code that binds it to one query. */
export function writeToken(position: unknown, query: unknown, options: TokenOptions): string {
  const text = JSON.stringify(position)
  if (options.encryptTokens === true) return encrypt(text, query, options)
  const payload = Buffer.from(text).toString('base64url')
  return `${payload}.${macOf(payload, query, options)}`
}

/** @throws InvalidTokenError for a token that was changed or is another query's */
export function readToken(token: string, query: unknown, options: TokenOptions): unknown {
  if (typeof token !== 'string' || token.length > maxLength) throw new InvalidTokenError()
  try {
    return JSON.parse(
      options.encryptTokens === true ? decrypt(token, query, options) : openedToken(token, query, options),
    )
  } catch (cause) {
    if (cause instanceof ConfigurationError || cause instanceof InvalidTokenError) throw cause
    throw new InvalidTokenError({ cause })
  }
}

function openedToken(token: string, query: unknown, options: TokenOptions): string {
  const [payload = '', code = '', ...rest] = token.split('.')
  // As texts: there are several for the same bytes.
  const given = Buffer.from(code)
  const expected = Buffer.from(macOf(payload, query, options))
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new InvalidTokenError()
  return Buffer.from(payload, 'base64url').toString()
}

function macOf(payload: string, query: unknown, options: TokenOptions): string {
  const secret = secretOf(options)
  const hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  const code = hash.update(canonical(query)).update('\0').update(payload).digest()
  return code.subarray(0, 16).toString('base64url')
}

const cipher = 'aes-256-gcm'
const authTagLength = 16

function encrypt(text: string, query: unknown, options: TokenOptions): string {
  const nonce = randomBytes(12)
  const sealing = createCipheriv(cipher, signingKey(options), nonce, { authTagLength }).setAAD(
    Buffer.from(canonical(query)),
  )
  const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
  return Buffer.concat([nonce, sealing.getAuthTag(), sealed]).toString('base64url')
}

function decrypt(token: string, query: unknown, options: TokenOptions): string {
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length < 12 + authTagLength || bytes.toString('base64url') !== token)
    throw new InvalidTokenError()
  const opening = createDecipheriv(cipher, signingKey(options), bytes.subarray(0, 12), { authTagLength })
    .setAAD(Buffer.from(canonical(query)))
    .setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([opening.update(bytes.subarray(28)), opening.final()]).toString('utf8')
}

function signingKey(options: TokenOptions): Buffer {
  const secret = secretOf(options)
  if (secret === undefined) throw new ConfigurationError('Page tokens cannot be encrypted without a secret')
  return createHash('sha256').update('page token\0').update(secret).digest()
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
