import type { ALBEvent } from 'aws-lambda'
import {
  type DescribedRequest,
  accountId,
  isTextBody,
  parseRequest,
  region,
  traceId,
} from './described-request.ts'

/** Options of {@link albEvent}. */
export interface AlbEventOptions extends DescribedRequest {
  /** Whether the target group has multi-value headers enabled. @default false */
  readonly multiValue?: boolean
}

/**
 * The event that an Application Load Balancer sends for a request: header names in lower case, the query not decoded,
 * the last of repeated names unless in multi-value mode.
 *
 * @example
 * ```ts
 * import { albEvent } from 'clearskies-middy/testing'
 *
 * export const event = albEvent({ path: '/products?author=Le+Guin', headers: { accept: 'application/json' } })
 * ```
 */
export function albEvent({ multiValue = false, ...described }: AlbEventOptions = {}): ALBEvent {
  const request = parseRequest(described)
  const lines = withForwarding(request.lines, request.clientIp, request.protocol).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  )
  const text = isTextBody(request)
  const event = {
    requestContext: {
      elb: {
        targetGroupArn: `arn:aws:elasticloadbalancing:${region}:${accountId}:targetgroup/shop/0123456789abcdef`,
      },
    },
    httpMethod: request.method,
    path: request.path,
    body: request.body.toString(text ? 'utf8' : 'base64'),
    isBase64Encoded: !text && request.body.length > 0,
  }
  return multiValue
    ? {
        ...event,
        multiValueQueryStringParameters: grouped(request.rawPairs),
        multiValueHeaders: grouped(lines),
      }
    : {
        ...event,
        queryStringParameters: Object.fromEntries(request.rawPairs),
        headers: Object.fromEntries(lines),
      }
}

/** The headers that a load balancer or gateway adds: who asked, and how. */
export function withForwarding(
  lines: readonly (readonly [string, string])[],
  clientIp: string,
  protocol: string,
): (readonly [string, string])[] {
  const has = (wanted: string): boolean => lines.some(([name]) => name.toLowerCase() === wanted)
  const kept = lines.filter(([name]) => !/^(?:x-forwarded-(?:for|proto|port)|x-amzn-trace-id)$/i.test(name))
  const before = lines.filter(([name]) => name.toLowerCase() === 'x-forwarded-for').map(([, value]) => value)
  return [
    ...(has('host') ? [] : [['host', 'shop.example.com'] as const]),
    ...kept,
    ['x-forwarded-for', [...before, clientIp].join(', ')],
    ['x-forwarded-proto', protocol],
    ['x-forwarded-port', protocol === 'https' ? '443' : '80'],
    ['x-amzn-trace-id', traceId],
  ]
}

/** All values of each name, in order. */
export function grouped(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value])
  return Object.fromEntries(groups)
}
