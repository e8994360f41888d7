import { InvalidResponseError } from '../../errors/index.ts'
import { type Envelope, isStatus } from './envelope.ts'
import { type ResponseLines, addLines, mergeLines } from './response-headers.ts'

/** All of a response that comes before its body. */
export interface ResponseHead extends ResponseLines {
  readonly statusCode: number
}

/** @throws InvalidResponseError */
export function responseHead({ statusCode, headers, multiValueHeaders, cookies }: Envelope): ResponseHead {
  if (!isStatus(statusCode)) throw new InvalidResponseError('A status is a whole number from 100 to 599')
  const head: ResponseHead = { statusCode, headers: {}, cookies: [] }
  if (headers) addLines(headers, head)
  if (multiValueHeaders) mergeLines(multiValueHeaders, head)
  if (cookies) addLines({ 'set-cookie': cookies }, head)
  return head
}

/** Whether a response of this status has a body (RFC 9110, 15). */
export function hasBody({ statusCode }: ResponseHead): boolean {
  return statusCode >= 200 && statusCode !== 204 && statusCode !== 205 && statusCode !== 304
}
