import type { KeyObject } from 'node:crypto'
import type { LightCredentials } from './light-credentials.ts'

// An import of the same module costs a millisecond, for the facade that it makes.
const { createHmac, createSecretKey, hash } = process.getBuiltinModule('node:crypto')

const algorithm = 'AWS4-HMAC-SHA256'

/** What a signature is for. */
export interface SigningScope {
  readonly region: string
  /** The service's name in signatures. */
  readonly service: string
  /** The time of the request: `20260102T030405Z`. */
  readonly date: string
}

/** A request that is to be signed. */
export interface UnsignedRequest {
  readonly method: string
  /** As it is sent. */
  readonly path: string
  /** The encoded and sorted query. */
  readonly query?: string
  /** By names in lower case and in order; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `20260102T030405Z` */
export function signingDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '')
}

/** `20260102/eu-central-1/dynamodb/aws4_request`: what a key is good for. */
export function scopeText({ date, region, service }: SigningScope): string {
  return `${date.slice(0, 8)}/${region}/${service}/aws4_request`
}

/**
 * Signs requests by Signature Version 4.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export class RequestSigner {
  /** To derive a key takes four hashes. A key belongs to one secret, day, region and service. */
  readonly #keys = new Map<string, KeyObject>()

  /** The value of the header `authorization`. */
  authorization(request: UnsignedRequest, credentials: LightCredentials, scope: SigningScope): string {
    const names = Object.keys(request.headers).join(';')
    const signature = this.signature(request, credentials, scope)
    return `${algorithm} Credential=${credentials.accessKeyId}/${scopeText(scope)}, SignedHeaders=${names}, Signature=${signature}`
  }

  /** The signature alone, in hexadecimal digits. */
  signature(request: UnsignedRequest, { secretAccessKey }: LightCredentials, scope: SigningScope): string {
    const { method, path, query = '', headers, body } = request
    const names = Object.keys(headers)
    let lines = ''
    for (const name of names) lines += `${name}:${headers[name]}\n`
    const canonical = `${method}\n${signedPath(path)}\n${query}\n${lines}\n${names.join(';')}\n${hash('sha256', body)}`
    const text = scopeText(scope)
    const toSign = `${algorithm}\n${scope.date}\n${text}\n${hash('sha256', canonical)}`
    return createHmac('sha256', this.#keyOf(secretAccessKey, text)).update(toSign).digest('hex')
  }

  #keyOf(secret: string, scope: string): KeyObject {
    const name = `${secret}/${scope}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    // Of bytes, each hash would make such an object again.
    const key = createSecretKey(scope.split('/').reduce(hmac, Buffer.from(`AWS4${secret}`)))
    const [oldest] = this.#keys.size < 20 ? [] : this.#keys.keys()
    if (oldest !== undefined) this.#keys.delete(oldest)
    this.#keys.set(name, key)
    return key
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** The segments of a path are encoded once more than they are sent, and empty ones are left out. */
function signedPath(path: string): string {
  if (path === '/') return path
  const segments = path.split('/').filter(Boolean)
  return `/${segments.map(uriEncoded).join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`
}

/** Encodes all but the letters, digits and marks that RFC 3986 leaves as they are. */
export function uriEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
