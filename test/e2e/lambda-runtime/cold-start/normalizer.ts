import middy from '@middy/core'
import { httpApi } from 'clearskies-middy/normalizers/http-api'

export const handler = middy()
  .use(httpApi())
  .handler(({ path }) => ({ path }))
