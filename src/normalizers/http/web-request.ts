import { BadRequestError } from '../../errors/index.ts'
import { isHeaderLine } from './headers.ts'

/** What an address is made from. */
interface Address {
  readonly protocol: string
  readonly host: string | undefined
  readonly path: string
  readonly rawQueryString: string
}

/** Put together and never resolved against a base: a path may begin with `//`. */
export function addressOf(
  { protocol, host, path, rawQueryString: query }: Address,
  basePath: string,
): string {
  return `${protocol}://${host ?? 'localhost'}${basePath}${path}${query && `?${query.replaceAll('#', '%23')}`}`
}

/** What a web request is made from. */
export interface WebRequestParts extends Address {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly hasBody: boolean
  bytes(): Uint8Array
  stream(): ReadableStream<Uint8Array>
}

/** How a body has arrived. */
interface BodyState {
  /** Whether the bytes are without the codings that the header tells of. */
  readonly isUnpacked: boolean
  readonly isUnread: boolean
}

/**
 * The request of the web standard. Its path is without the base path.
 *
 * @throws BadRequestError for one that the standard does not know, such as TRACE
 */
export function webRequest(parts: WebRequestParts, { isUnpacked, isUnread }: BodyState): Request {
  const { method, headers, hasBody } = parts
  const isSent = hasBody && !/^(?:GET|HEAD)$/.test(method)
  const isOther = isUnpacked && !isUnread && headers['content-encoding'] !== undefined
  const isSendable = (name: string, line: string): boolean =>
    // What a `Headers` object cannot hold, odd names and other alphabets than Latin-1, it would throw at.
    isHeaderLine(name, line) && !(isOther && /^content-(?:encoding|length)$/.test(name))
  try {
    return new Request(addressOf(parts, ''), {
      method,
      headers: Object.entries(headers).filter(([name, line]) => isSendable(name, line)),
      ...(isSent && (isUnread ? { body: parts.stream(), duplex: 'half' } : { body: parts.bytes() })),
    })
  } catch (cause) {
    throw new BadRequestError('This cannot be a web request', { cause })
  }
}
