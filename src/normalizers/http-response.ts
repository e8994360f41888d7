export type { HttpResponseOptions } from './http/encode-response.ts'
export { isResponse } from './http/envelope.ts'
