import { asRecord } from '../../core/record.ts'
import { readAuthorizer } from './authorizer.ts'
import { stagePrefix } from './path.ts'
import { type ResponseTarget, type Wire, contextOf } from './http-source.ts'
import { lambdaResponseLimit } from '../../invocation/response-limit.ts'

/** Each header is in one of the two maps: a gateway would send a pair that is in both twice. */
const payloadV1Target: ResponseTarget = {
  limit: lambdaResponseLimit,
  shape({ statusCode, headers, cookies, body, isBase64Encoded }) {
    const multiValueHeaders: Record<string, string[]> = {}
    for (const name in headers) {
      const lines = headers[name]
      if (!Array.isArray(lines)) continue
      multiValueHeaders[name] = lines
      Reflect.deleteProperty(headers, name)
    }
    if (cookies.length > 0) multiValueHeaders['set-cookie'] = cookies
    const lists = Object.keys(multiValueHeaders).length > 0 && { multiValueHeaders }
    return { statusCode, headers, ...lists, body, isBase64Encoded }
  },
}

/** Payload 1.0 as HTTP APIs send it: everything decoded, the stage in the path. */
export const payloadV1Wire: Wire = {
  source: 'http-api',
  method: (raw) => raw['httpMethod'],
  path: (raw) => raw['path'],
  prefix: (raw, path) => stagePrefix(path, raw),
  sourceIp: (raw) => asRecord(contextOf(raw)['identity'])?.['sourceIp'],
  authorizer: (raw) => readAuthorizer(contextOf(raw)),
  route: 'resource',
  target: payloadV1Target,
}
