export { type HttpResponseOptions, isResponse } from './http/encode-response.ts'
