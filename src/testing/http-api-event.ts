import type { APIGatewayProxyEvent, APIGatewayProxyEventV2, LambdaFunctionURLEvent } from 'aws-lambda'
import { grouped, withForwarding } from './alb-event.ts'
import {
  type DescribedRequest,
  type DescribedParts,
  accountId,
  decodedPairs,
  headerOf,
  isTextBody,
  matchTemplate,
  parseRequest,
  region,
} from './described-request.ts'
import { restApiEvent } from './rest-api-event.ts'

/** Options of {@link httpApiEvent}. */
export interface HttpApiEventOptions extends DescribedRequest {
  /** The route's template, for instance `/products/{id}`; without it the request meets the `$default` route. */
  readonly route?: string
  /** A named stage stands in front of the path. @default '$default' */
  readonly stage?: string
  readonly authorizer?: Readonly<Record<string, unknown>>
}

/** Options of {@link functionUrlEvent}. */
export interface FunctionUrlEventOptions extends DescribedRequest {
  readonly authorizer?: Readonly<Record<string, unknown>>
}

/**
 * The event that an HTTP API sends for a request (payload 2.0): the path decoded, the query raw, repeated headers joined
 * with commas, cookies apart.
 *
 * @throws TypeError if the path does not fit the route
 * @example
 * ```ts
 * import { httpApiEvent } from 'clearskies-middy/testing'
 *
 * export const event = httpApiEvent({ path: '/products', body: { title: 'The Dispossessed' } })
 * ```
 */
export function httpApiEvent({
  route,
  stage = '$default',
  authorizer,
  ...described
}: HttpApiEventOptions = {}): APIGatewayProxyEventV2 {
  const request = parseRequest(described)
  const path = decodePath(request.path)
  const rawPath = stage === '$default' ? path : `/${stage}${path}`
  const routeKey = route === undefined ? '$default' : `${request.method} ${route}`
  const parameters = route === undefined ? {} : decodedParameters(path, route)
  return {
    ...payloadV2(request, {
      rawPath,
      path: rawPath,
      stage,
      routeKey,
      domainName: `a1b2c3d4e5.execute-api.${region}.amazonaws.com`,
      authorizer,
    }),
    ...(Object.keys(parameters).length > 0 && { pathParameters: parameters }),
  }
}

/**
 * The event that an HTTP API sends with payload format 1.0: like a REST API's, but for a decoded path with the stage in it.
 *
 * @example
 * ```ts
 * import { httpApiV1Event } from 'clearskies-middy/testing'
 *
 * export const event = httpApiV1Event({ path: '/products?tag=a&tag=b' })
 * ```
 */
export function httpApiV1Event({
  route,
  stage = '$default',
  authorizer,
  ...described
}: HttpApiEventOptions = {}): APIGatewayProxyEvent & { readonly version: '1.0' } {
  const request = parseRequest(described)
  const event = restApiEvent({ ...described, stage, ...(authorizer !== undefined && { authorizer }) })
  const path = decodePath(request.path)
  const parameters = route === undefined ? {} : decodedParameters(path, route)
  const staged = stage === '$default' ? path : `/${stage}${path}`
  const text = isTextBody(request)
  return {
    ...event,
    version: '1.0',
    resource: route ?? '$default',
    path: staged,
    headers: lowerCased(event.headers),
    multiValueHeaders: lowerCased(event.multiValueHeaders),
    pathParameters: Object.keys(parameters).length === 0 ? null : parameters,
    requestContext: {
      ...event.requestContext,
      path: staged,
      resourcePath: route ?? '$default',
      authorizer: authorizer ?? { claims: null, scopes: null },
    },
    body: request.body.length === 0 ? null : request.body.toString(text ? 'utf8' : 'base64'),
    isBase64Encoded: !text && request.body.length > 0,
  }
}

/**
 * The event that a function URL sends for a request: payload 2.0, but with the path encoded and with cookies in the
 * headers as well.
 *
 * @example
 * ```ts
 * import { functionUrlEvent } from 'clearskies-middy/testing'
 *
 * export const event = functionUrlEvent({ path: '/a%20b', cookies: { session: 'x' } })
 * ```
 */
export function functionUrlEvent({
  authorizer,
  ...described
}: FunctionUrlEventOptions = {}): LambdaFunctionURLEvent {
  const request = parseRequest(described)
  const event = payloadV2(request, {
    rawPath: request.path,
    path: decodePath(request.path),
    stage: '$default',
    routeKey: '$default',
    domainName: `abcdefghijklmnop.lambda-url.${region}.on.aws`,
    authorizer,
  })
  const cookie = request.lines.filter(([name]) => name.toLowerCase() === 'cookie').map(([, value]) => value)
  return {
    ...event,
    headers: { ...event.headers, ...(cookie.length > 0 && { cookie: cookie.join('; ') }) },
  }
}

interface RequestPlace {
  readonly rawPath: string
  readonly path: string
  readonly stage: string
  readonly routeKey: string
  readonly domainName: string
  readonly authorizer: Readonly<Record<string, unknown>> | undefined
}

function payloadV2(request: DescribedParts, place: RequestPlace): APIGatewayProxyEventV2 {
  const { rawPath, routeKey } = place
  const lines = withForwarding(request.lines, request.clientIp, request.protocol).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  )
  const cookies = lines.filter(([name]) => name === 'cookie').flatMap(([, value]) => value.split(/; */))
  const isText = isTextBody(request)
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: request.rawQuery,
    ...(cookies.length > 0 && { cookies }),
    headers: joined(lines.filter(([name]) => name !== 'cookie')),
    ...(request.rawPairs.length > 0 && { queryStringParameters: joined(decodedPairs(request)) }),
    requestContext: contextV2(request, place),
    ...(request.body.length > 0 && { body: request.body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: !isText && request.body.length > 0,
  }
}

function contextV2(
  request: DescribedParts,
  { path, stage, routeKey, domainName, authorizer }: RequestPlace,
): APIGatewayProxyEventV2['requestContext'] {
  const [domainPrefix = ''] = domainName.split('.', 1)
  return {
    accountId,
    apiId: domainPrefix,
    domainName,
    domainPrefix,
    http: {
      method: request.method,
      path,
      protocol: 'HTTP/1.1',
      sourceIp: request.clientIp,
      userAgent: headerOf(request, 'user-agent') ?? '',
    },
    requestId: 'JKJaXmPLvHcESHA=',
    routeKey,
    stage,
    time: '10/Mar/2026:00:03:59 +0000',
    timeEpoch: 1_773_100_000_000,
    ...(authorizer !== undefined && { authorizer: authorizer as never }),
  }
}

/** Values of one name joined with commas, which is how payload 2.0 has them. */
function joined(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(Object.entries(grouped(pairs)).map(([name, values]) => [name, values.join(',')]))
}

function decodedParameters(path: string, route: string): Record<string, string> {
  const parameters = matchTemplate(path, route)
  if (parameters === undefined) throw new TypeError(`The path ${path} does not fit the route ${route}`)
  return parameters
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function lowerCased<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name.toLowerCase(), value]))
}
