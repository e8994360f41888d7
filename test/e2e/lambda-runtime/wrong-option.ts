import middy from '@middy/core'
import { httpApi } from 'clearskies-middy'

export const handler = middy()
  .use(httpApi({ trustedProxy: 1 } as object))
  .handler(() => 'never')
