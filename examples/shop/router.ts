import httpRouter from '@middy/http-router'
import type { HttpRequest } from 'clearskies-middy'

/** Middy's router, with routes written as `GET /products/{id}`, and typed for requests instead of raw events. */
export function router<TContext>(
  routes: Readonly<Record<string, (request: HttpRequest, context: TContext) => unknown>>,
): (request: HttpRequest, context: TContext) => unknown {
  const table = Object.entries(routes).map(([route, handler]) => {
    const [method, path] = route.split(' ')
    return { method, path, handler }
  })
  return httpRouter(table as never) as never
}
