// Compiled and never run: mistakes that the compiler finds before anybody has to look into a log.
import middy from '@middy/core'
import { alb, httpApi } from 'clearskies-middy'

middy().handler((request) => {
  // @ts-expect-error without a normalizer nothing is known of the event
  String(request.query)
})

middy()
  .use(alb())
  .use(httpApi())
  .handler((request) => {
    // @ts-expect-error of two normalizers no request remains
    String(request.path)
  })

// @ts-expect-error a normalizer is a function, to be called
middy().use(httpApi)
