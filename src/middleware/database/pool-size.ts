import { availableParallelism } from 'node:os'

/** Where a thread works one invocation at a time; the second is for a query beside a transaction. */
const least = 2

/** Lambda's own number of threads. */
const workersPerCpu = 8

/**
 * Connections of a thread where none is said: one for each of the invocations that run beside each other in it. Only
 * Lambda Managed Instances set the variable, for all threads together.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-nodejs-runtime.html
 */
export function defaultPoolSize(): number {
  const invocations = count('AWS_LAMBDA_MAX_CONCURRENCY') ?? 0
  const workers = count('AWS_LAMBDA_NODEJS_WORKER_COUNT') ?? workersPerCpu * availableParallelism()
  return Math.max(least, Math.ceil(invocations / workers))
}

function count(name: string): number | undefined {
  const value = Number(process.env[name])
  return Number.isSafeInteger(value) && value > 0 ? value : undefined
}
