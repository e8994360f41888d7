export type { Logger } from './core/logger.ts'
export type { ContextOf, Middleware, MiddyRequest } from './core/middy.ts'
