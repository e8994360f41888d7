import type { Context } from 'aws-lambda'
import type { Decompress } from './decompress.ts'
import type { AllowedHosts } from './hosts.ts'
import type { Wire } from './http-source.ts'
import type { BasePath } from './path.ts'

export type { HttpSource } from '../../events/event-sources.ts'

/** The options of a normalizer that decide how a request is read. */
export interface HttpRequestOptions {
  /**
   * How many proxies that you run stand in front of the function and append to `X-Forwarded-For`.
   * @default 1 behind a load balancer (the load balancer itself), 0 behind a gateway (it tells the peer itself)
   */
  readonly trustedProxies?: number
  /**
   * The hosts that the service has; a request for another host is a 400. A text matches the host's name whole and in any
   * case, with its own port or any; a pattern sees the header as it came. A request without a host passes.
   * @default any host, which on a load balancer without a rule for hosts is whatever the client writes
   */
  readonly allowedHosts?: AllowedHosts
  /** A prefix, or several, to take off the path; it ends at a `/`. */
  readonly basePath?: BasePath
  /** Whether an HTTP API's stage is taken off the path. @default true */
  readonly stripStage?: boolean
  /**
   * Whether bodies in gzip, deflate and br are unpacked. More bytes than `maxBytes` are a 413, before they are unpacked whole.
   * @default true, with a `maxBytes` of 10 MB (10,485,760)
   */
  readonly decompress?: Decompress
}

/** What a request comes with, beside its event. */
export interface RequestOrigin {
  readonly wire: Wire
  readonly lambdaContext: Context
  readonly options: HttpRequestOptions
}

/** Of a request that nobody sends. */
export const noOrigin: RequestOrigin = {
  wire: {
    source: 'alb',
    method: () => '',
    path: () => '',
    prefix: () => '',
    sourceIp: () => '',
    authorizer: () => ({ kind: 'none' }),
    target: { limit: 0, shape: (response) => response },
  },
  lambdaContext: {} as Context,
  options: {},
}

/** The getters that a log, a copy and a clone of a request read. What repeats a part of it, as `cookies` or `raw`, is none. */
export const printedMembers: readonly string[] = [
  'path',
  'queryStringParameters',
  'pathParameters',
  'headers',
]
