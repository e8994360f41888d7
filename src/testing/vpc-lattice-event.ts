import type { VpcLatticeEventV1, VpcLatticeEventV2 } from '../normalizers/vpc-lattice.ts'
import { grouped } from './alb-event.ts'
import {
  type DescribedRequest,
  type DescribedParts,
  accountId,
  decodedPairs,
  isTextBody,
  parseRequest,
  region,
} from './described-request.ts'

/** Options of {@link vpcLatticeEvent}. */
export interface VpcLatticeEventOptions<TVersion extends 1 | 2 = 1 | 2> extends DescribedRequest {
  /** Of the target group's event structure. @default 2 */
  readonly version?: TVersion
  /** What an auth policy has found out about the caller, for instance `{ type: 'AWS_IAM', principal: 'arn:…' }`. */
  readonly identity?: Readonly<Record<string, unknown>>
}

/**
 * The event that a VPC Lattice service sends for a request. In version 2 headers and query are lists, in version 1 they
 * are texts; the path has the query in both.
 *
 * @example
 * ```ts
 * import { vpcLatticeEvent } from 'clearskies-middy/testing'
 *
 * export const event = vpcLatticeEvent({ path: '/products?author=Le+Guin' })
 * ```
 */
export function vpcLatticeEvent(options?: VpcLatticeEventOptions<2>): VpcLatticeEventV2
export function vpcLatticeEvent(options: VpcLatticeEventOptions<1>): VpcLatticeEventV1
export function vpcLatticeEvent(options?: VpcLatticeEventOptions): VpcLatticeEventV1 | VpcLatticeEventV2
export function vpcLatticeEvent({ version = 2, identity, ...described }: VpcLatticeEventOptions = {}):
  VpcLatticeEventV1 | VpcLatticeEventV2 {
  const request = parseRequest(described)
  const headers = latticeHeaders(request)
  const query = grouped(decodedPairs(request))
  const path = request.path + (request.rawQuery && `?${request.rawQuery}`)
  const isText = isTextBody(request)
  const isBase64 = !isText && request.body.length > 0
  const body = request.body.toString(isText ? 'utf8' : 'base64')
  if (version === 1)
    return {
      raw_path: path,
      method: request.method,
      headers: joinedLists(headers),
      query_string_parameters: joinedLists(query),
      body,
      is_base64_encoded: isBase64,
    }
  return {
    version: '2.0',
    path,
    method: request.method,
    headers,
    queryStringParameters: query,
    ...(request.body.length > 0 && { body }),
    ...(isBase64 && { isBase64Encoded: true }),
    requestContext: latticeContext(identity),
  }
}

function latticeHeaders(request: DescribedParts): Record<string, string[]> {
  const lines = [
    ['host', 'shop.example.com'] as const,
    ...request.lines,
    ['x-forwarded-for', request.clientIp] as const,
    ['x-forwarded-for-proto', request.protocol] as const,
  ]
  const headers = grouped(lines.map(([name, value]) => [name.toLowerCase(), value] as const))
  // A client's own host takes the place of the made-up one.
  headers['host'] = headers['host']?.slice(-1) ?? []
  return headers
}

function latticeContext(identity: VpcLatticeEventOptions['identity']): VpcLatticeEventV2['requestContext'] {
  const arn = `arn:aws:vpc-lattice:${region}:${accountId}`
  return {
    serviceNetworkArn: `${arn}:servicenetwork/sn-0123456789abcdef0`,
    serviceArn: `${arn}:service/svc-0123456789abcdef0`,
    targetGroupArn: `${arn}:targetgroup/tg-0123456789abcdef0`,
    region,
    timeEpoch: '1773100000000000',
    identity: { sourceVpcArn: `arn:aws:ec2:${region}:${accountId}:vpc/vpc-0123456789abcdef0`, ...identity },
  }
}

/** One text per name. */
function joinedLists(lists: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(lists).map(([name, values]) => [name, values.join(name === 'cookie' ? '; ' : ', ')]),
  )
}
