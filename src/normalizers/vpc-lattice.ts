import { type UnknownRecord, asRecord, asString } from '../core/record.ts'
import { normalizes, reads } from './http/normalizer.ts'
import type { HttpNormalizer, HttpReader, HttpWriter } from './http/normalizer.ts'
import { type HttpSourceSpec, contextOf } from './http/http-source.ts'
import { lambdaResponseLimit } from '../invocation/response-limit.ts'
import { encodeResponse } from './http/encode-response.ts'

/** Version 1 of the event structure, the default of a target group. */
export interface VpcLatticeEventV1 {
  /** With the query. */
  readonly raw_path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly query_string_parameters?: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly is_base64_encoded?: boolean
}

/** Version 2 of the event structure. */
export interface VpcLatticeEventV2 {
  readonly version: '2.0'
  /** With the query. */
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly queryStringParameters?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | null
  readonly isBase64Encoded?: boolean
  /** `timeEpoch` is in microseconds. */
  readonly requestContext: Readonly<
    Record<'serviceNetworkArn' | 'serviceArn' | 'targetGroupArn' | 'region' | 'timeEpoch', string>
  > & { readonly identity?: UnknownRecord }
}

/**
 * The events that `vpcLattice()` takes.
 * https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
 */
export type VpcLatticeEvent = VpcLatticeEventV1 | VpcLatticeEventV2

/** What VPC Lattice takes as a response. */
export interface VpcLatticeResult {
  readonly isBase64Encoded: boolean
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string
}

/** Both versions in payload 1.0's words. Events with texts and with lists are known of either, so both count. */
function latticeView(raw: UnknownRecord): UnknownRecord {
  const [path, ...query] = (asString(raw['raw_path'] ?? raw['path']) ?? '').split('?')
  return {
    ...raw,
    path,
    // The map repeats what the path has. AWS does not say whether its values are decoded.
    rawQueryString: query.length > 0 ? query.join('?') : undefined,
    queryStringParameters: raw['query_string_parameters'] ?? raw['queryStringParameters'],
    // Either version sends texts and lists.
    multiValueHeaders: raw['headers'],
    body: raw['body'] || undefined,
    isBase64Encoded: raw['is_base64_encoded'] ?? raw['isBase64Encoded'],
    requestContext: { requestId: raw['requestId'], ...contextOf(raw) },
  }
}

/** @internal */
export const vpcLatticeSource: HttpSourceSpec = {
  factory: 'vpcLattice',
  wires: {
    'vpc-lattice': {
      source: 'vpc-lattice',
      view: latticeView,
      method: (event) => event['method'],
      path: (event) => event['path'],
      prefix: () => '',
      sourceIp: () => undefined,
      // https://docs.aws.amazon.com/vpc-lattice/latest/ug/http-targets.html
      protocolHeader: 'x-forwarded-for-proto',
      authorizer(event) {
        const { type, principal, principalOrgID } = asRecord(contextOf(event)['identity']) ?? {}
        const [userArn, principalOrgId] = [asString(principal), asString(principalOrgID)]
        if (type !== 'AWS_IAM' || !userArn) return { kind: 'none' }
        return { kind: 'iam', userArn, ...(principalOrgId && { principalOrgId }) }
      },
      target: {
        limit: lambdaResponseLimit,
        shape({ statusCode, headers, cookies, body, isBase64Encoded }) {
          if (cookies.length > 0) headers['set-cookie'] = cookies
          return { isBase64Encoded, statusCode, headers, body }
        },
      },
    },
  },
}

/**
 * Reads the event of a VPC Lattice service, in version 1 or 2 of its structure.
 *
 * @throws InvalidEventError if it is another event
 * @example
 * ```ts
 * import { vpcLatticeRequest } from 'clearskies-middy/normalizers/vpc-lattice'
 * import { lambdaContext, vpcLatticeEvent } from 'clearskies-middy/testing'
 *
 * const request = vpcLatticeRequest(vpcLatticeEvent({ path: '/products?tag=a&tag=b' }), lambdaContext())
 * console.log(request.query.getAll('tag')) // [ 'a', 'b' ]
 * ```
 */
export const vpcLatticeRequest: HttpReader<'vpc-lattice', VpcLatticeEvent> = reads(vpcLatticeSource)

/**
 * Turns a handler's result into what VPC Lattice takes. Several lines of one header are a list.
 *
 * @throws InvalidResponseError, ResponseTooLargeError (6 MB)
 * @example
 * ```ts
 * import { vpcLatticeRequest, vpcLatticeResponse } from 'clearskies-middy/normalizers/vpc-lattice'
 * import { lambdaContext, vpcLatticeEvent } from 'clearskies-middy/testing'
 *
 * const request = vpcLatticeRequest(vpcLatticeEvent(), lambdaContext())
 * console.log(await vpcLatticeResponse({ id: 7 }, request)) // { isBase64Encoded: false, statusCode: 200, … }
 * ```
 */
export const vpcLatticeResponse: HttpWriter<VpcLatticeResult> = encodeResponse

/**
 * Puts the handler behind a VPC Lattice service.
 *
 * @throws InvalidEventError if the event is of another source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { vpcLattice } from 'clearskies-middy/normalizers/vpc-lattice'
 *
 * export const handler = middy()
 *   .use(vpcLattice())
 *   .handler(async (request) => ({ caller: request.authorizer }))
 * ```
 */
export const vpcLattice: HttpNormalizer<'vpc-lattice', VpcLatticeEvent> = normalizes(vpcLatticeSource)
