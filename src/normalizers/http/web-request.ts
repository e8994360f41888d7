import { BadRequestError } from '../../errors/index.ts'
import { isHeaderLine } from './headers.ts'

/** What a web request is made from. */
export interface WebRequestParts {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly hasBody: boolean
  bytes(): Uint8Array
}

/**
 * The request of the web standard.
 *
 * @throws BadRequestError for one that the standard does not know, such as TRACE
 */
export function webRequest(address: string, parts: WebRequestParts): Request {
  const { method, headers, hasBody } = parts
  try {
    return new Request(address, {
      method,
      // What a `Headers` object cannot hold, odd names and other alphabets than Latin-1, it would throw at.
      headers: Object.entries(headers).filter(([name, line]) => isHeaderLine(name, line)),
      body: hasBody && !/^(?:GET|HEAD)$/.test(method) ? (parts.bytes() as Uint8Array<ArrayBuffer>) : null,
    })
  } catch (cause) {
    throw new BadRequestError('This cannot be a web request', { cause })
  }
}
