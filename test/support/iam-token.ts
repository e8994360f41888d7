import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** What a token says, and whether it was signed with the key of its bearer. */
export interface IamToken {
  readonly action: string
  readonly host: string
  readonly port: number | undefined
  readonly user: string | undefined
  readonly accessKeyId: string
  readonly region: string
  readonly service: string
  /** Milliseconds since 1970. */
  readonly signedAt: number
  /** Seconds. */
  readonly expires: number
  readonly sessionToken: string | undefined
  readonly isGenuine: boolean
}

/**
 * Reads a token as the service does: a request with Signature Version 4 in its query, without its scheme.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function readIamToken(token: string, secretAccessKey: string): IamToken {
  const { hostname, port, host, pathname, searchParams } = new URL(`https://${token}`)
  const text = (name: string): string => searchParams.get(name) ?? ''
  const [accessKeyId = '', date = '', region = '', service = '', last = ''] =
    text('X-Amz-Credential').split('/')
  const signature = text('X-Amz-Signature')
  const canonicalQuery = [...searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
  const canonical = ['GET', pathname, canonicalQuery, `host:${host}`, '', 'host', sha256('')].join('\n')
  const time = text('X-Amz-Date')
  const scope = [date, region, service, last].join('/')
  const signed = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = [date, region, service, last].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`)
  const expected = hmac(key, signed)
  const given = Buffer.from(signature, 'hex')
  return {
    action: text('Action'),
    host: hostname,
    port: port === '' ? undefined : Number(port),
    user: searchParams.get('DBUser') ?? undefined,
    accessKeyId,
    region,
    service,
    signedAt: Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')),
    expires: Number(text('X-Amz-Expires')),
    sessionToken: searchParams.get('X-Amz-Security-Token') ?? undefined,
    isGenuine: given.length === expected.length && timingSafeEqual(given, expected),
  }
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
