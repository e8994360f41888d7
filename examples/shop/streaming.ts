import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { secrets, stores } from './app.ts'
import { ordersDatabase } from './orders-database.ts'
import { streamRoutes } from './streams.ts'

/** Behind a function URL that streams. A module of its own, because it loads where a runtime serves streams, and nowhere else. */
export const streamHandler = middy({ executionMode: executionModeStreamifyResponse })
  .use(httpApi({ streaming: true }))
  .use(secrets)
  .use(ordersDatabase)
  .use(stores)
  .handler(streamRoutes)
