// Middy's own packages, once as major 7 and once as major 6, under one set of names.
import middy from '@middy/core'
import errorLogger from '@middy/error-logger'
import httpContentEncoding from '@middy/http-content-encoding'
import httpContentNegotiation from '@middy/http-content-negotiation'
import httpCors from '@middy/http-cors'
import httpErrorHandler from '@middy/http-error-handler'
import httpEventNormalizer from '@middy/http-event-normalizer'
import httpHeaderNormalizer from '@middy/http-header-normalizer'
import httpMultipartBodyParser from '@middy/http-multipart-body-parser'
import httpPartialResponse from '@middy/http-partial-response'
import httpResponseSerializer from '@middy/http-response-serializer'
import httpRouter from '@middy/http-router'
import httpSecurityHeaders from '@middy/http-security-headers'
import httpUrlencodeBodyParser from '@middy/http-urlencode-body-parser'
import inputOutputLogger from '@middy/input-output-logger'
import validator from '@middy/validator'
import warmup from '@middy/warmup'
import middy6 from 'middy-core-6'
import errorLogger6 from 'middy-error-logger-6'
import httpContentNegotiation6 from 'middy-http-content-negotiation-6'
import httpCors6 from 'middy-http-cors-6'
import httpErrorHandler6 from 'middy-http-error-handler-6'
import httpEventNormalizer6 from 'middy-http-event-normalizer-6'
import httpHeaderNormalizer6 from 'middy-http-header-normalizer-6'
import httpMultipartBodyParser6 from 'middy-http-multipart-body-parser-6'
import httpResponseSerializer6 from 'middy-http-response-serializer-6'
import httpRouter6 from 'middy-http-router-6'
import httpSecurityHeaders6 from 'middy-http-security-headers-6'
import httpUrlencodeBodyParser6 from 'middy-http-urlencode-body-parser-6'
import inputOutputLogger6 from 'middy-input-output-logger-6'
import validator6 from 'middy-validator-6'
import warmup6 from 'middy-warmup-6'

const seven = {
  middy,
  errorLogger,
  // These two have no release for Middy 6.
  httpContentEncoding,
  httpPartialResponse,
  httpContentNegotiation,
  httpCors,
  httpErrorHandler,
  httpEventNormalizer,
  httpHeaderNormalizer,
  httpMultipartBodyParser,
  httpResponseSerializer,
  httpRouter,
  httpSecurityHeaders,
  httpUrlencodeBodyParser,
  inputOutputLogger,
  validator,
  warmup,
}

/** The packages of one major. */
export type MiddyPackages = typeof seven

const six = {
  middy: middy6,
  errorLogger: errorLogger6,
  httpContentEncoding,
  httpPartialResponse,
  httpContentNegotiation: httpContentNegotiation6,
  httpCors: httpCors6,
  httpErrorHandler: httpErrorHandler6,
  httpEventNormalizer: httpEventNormalizer6,
  httpHeaderNormalizer: httpHeaderNormalizer6,
  httpMultipartBodyParser: httpMultipartBodyParser6,
  httpResponseSerializer: httpResponseSerializer6,
  httpRouter: httpRouter6,
  httpSecurityHeaders: httpSecurityHeaders6,
  httpUrlencodeBodyParser: httpUrlencodeBodyParser6,
  inputOutputLogger: inputOutputLogger6,
  validator: validator6,
  warmup: warmup6,
} as unknown as MiddyPackages

export const majors: readonly (readonly [major: string, packages: MiddyPackages])[] = [
  ['7', seven],
  ['6', six],
]
