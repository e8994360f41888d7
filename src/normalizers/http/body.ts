import { type UnknownRecord, asString } from '../../core/record.ts'

/** Stands for what nobody has looked at yet, where `undefined` is a value. */
export const unread: unique symbol = Symbol('unread')

/** The body's bytes, base64 removed. */
export function bodyBytes({ body, isBase64Encoded }: UnknownRecord): Buffer {
  return Buffer.from(asString(body) ?? '', isBase64Encoded === true ? 'base64' : 'utf8')
}

/** The body as text (UTF-8), without a byte order mark. */
export function bodyText(event: UnknownRecord): string {
  const whole = event['isBase64Encoded'] === true ? bodyBytes(event).toString() : asString(event['body'])
  return whole?.replace(/^\ufeff/, '') ?? ''
}
