import { randomUUID } from 'node:crypto'
import type { Context } from 'aws-lambda'
import { accountId, region } from './described-request.ts'

/** Options of {@link lambdaContext}. */
export interface LambdaContextOptions extends Partial<Omit<Context, 'getRemainingTimeInMillis'>> {
  /** The function's timeout in milliseconds, counted from now. @default 30_000 */
  readonly timeout?: number
  /** The clock that counts it. @default Date.now */
  readonly now?: () => number
}

/**
 * The context that Lambda hands to a handler.
 *
 * @example
 * ```ts
 * import { lambdaContext } from 'clearskies-middy/testing'
 *
 * console.log(lambdaContext({ timeout: 5000 }).getRemainingTimeInMillis()) // 5000
 * ```
 */
export function lambdaContext({
  timeout = 30_000,
  now = Date.now,
  ...fields
}: LambdaContextOptions = {}): Context {
  const deadline = now() + timeout
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'shop',
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${region}:${accountId}:function:shop`,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? '256',
    awsRequestId: randomUUID(),
    logGroupName: '/aws/lambda/shop',
    logStreamName: '2026/03/10/[$LATEST]0123456789abcdef',
    getRemainingTimeInMillis: () => Math.max(0, deadline - now()),
    ...fields,
  } as Context
}
