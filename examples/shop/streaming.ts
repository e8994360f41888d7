import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import { anyHttp } from 'clearskies-middy/normalizers/any-http'
import { secrets, stores } from './app.ts'
import { ordersDatabase } from './orders-database.ts'
import { streamRoutes } from './streams.ts'

/** Behind a function URL and routes of a REST API that stream. A module of its own, because it loads where a runtime serves streams, and nowhere else. */
export const streamHandler = middy({ executionMode: executionModeStreamifyResponse })
  .use(anyHttp({ streaming: true }))
  .use(secrets)
  .use(ordersDatabase)
  .use(stores)
  .handler(streamRoutes)
