import middy from '@middy/core'
import httpRouter from '@middy/http-router'
import type { HttpRequest, Middleware, ValidateSchemas } from 'clearskies-middy'
import { validate } from 'clearskies-middy/middleware/validate'

type Route<TContext> = (request: HttpRequest, context: TContext) => unknown

/** A request whose parts are what the schemas made of them. */
type Checked<TSchemas extends ValidateSchemas> =
  ReturnType<typeof validate<TSchemas>> extends Middleware<infer TRequest> ? HttpRequest & TRequest : never

/** Middy's router, with routes written as `GET /products/{id}`, and typed for requests instead of raw events. */
export function router<TContext>(routes: Readonly<Record<string, Route<TContext>>>): Route<TContext> {
  const table = Object.entries(routes).map(([route, handler]) => {
    const [method, path] = route.split(' ')
    return { method, path, handler }
  })
  return httpRouter(table as never) as never
}

/** A route behind schemas: what they refuse is a 400 with every finding, and the handler never sees it. */
export function checked<TContext, const TSchemas extends ValidateSchemas>(
  schemas: TSchemas,
  handler: (request: Checked<TSchemas>, context: TContext) => unknown,
): Route<TContext> {
  return middy()
    .use(validate(schemas))
    .handler(handler as never) as never
}
