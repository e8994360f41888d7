// What the tests run beside the shop: handlers that fail, wait and meet.
import middy from '@middy/core'
import { currentInvocation, eachRecord, httpApi, invocation, respond, sqs } from 'clearskies-middy'

import { createOrdersTable } from '../../../examples/shop/orders-database.ts'

export * from '../../../examples/shop/app.ts'

export const failingHttp = middy()
  .use(httpApi())
  .handler(() => {
    throw new Error('The password is hunter2')
  })

export const failingInvocation = middy()
  .use(invocation())
  .handler(() => {
    throw new RangeError('Not today')
  })

let invocations = 0

export const counting = middy()
  .use(httpApi())
  .handler(({ path, lambdaContext, requestId }) => ({
    path,
    requestId,
    awsRequestId: lambdaContext.awsRequestId,
    hasTime: lambdaContext.getRemainingTimeInMillis() > 0,
    invocations: ++invocations,
  }))

export const large = middy()
  .use(httpApi())
  .handler(({ query }) => respond.html('x'.repeat(Number(query.get('bytes')))))

/** With something left to do, or the process would end by itself. */
const forever = (): Promise<never> =>
  new Promise(() => {
    setInterval(() => {}, 60_000)
  })

/** Never answers by itself; Middy's own early answer is switched off. */
export const stuck = middy({ timeoutEarlyInMillis: 0 }).use(httpApi()).handler(forever)

/** Never answers by itself, and has Middy's early answer. */
export const late = middy({ timeoutEarlyInMillis: 500 }).use(httpApi()).handler(forever)

export const partlyStuck = middy()
  .use(sqs())
  .handler(eachRecord(({ data }) => (data === 'stuck' ? forever() : undefined)))

const present: (() => void)[] = []

/** Waits until as many invocations are in here as the path says; then each gives what is its own. */
export const meeting = middy()
  .use(httpApi())
  .handler(async ({ path, query, lambdaContext }) => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    present.push(() => {
      resolve(undefined)
    })
    if (present.length === Number(query.get('of'))) for (const go of present.splice(0)) go()
    await promise
    return { path, awsRequestId: lambdaContext.awsRequestId }
  })

/** Makes the table of the orders, by the shop's own function. */
export const createTable = (): Promise<void> => createOrdersTable()

/** What an invocation sees of itself, again and again, while others run beside it in the same worker. */
export const beside = middy()
  .use(httpApi())
  .handler(async ({ path, lambdaContext }) => {
    const requestIds = new Set<string | undefined>()
    let left = Infinity
    for (let turn = 0; turn < 20; turn++) {
      const { requestId, deadline = 0 } = currentInvocation() ?? {}
      requestIds.add(requestId)
      left = Math.min(left, deadline - Date.now())
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { path, isOwn: requestIds.size === 1 && requestIds.has(lambdaContext.awsRequestId), left }
  })
