import { isMainThread } from 'node:worker_threads'

const closers = new Set<() => Promise<void>>()

/**
 * Has something closed when Lambda ends the process, until the function that is returned is called. Lambda says so only
 * where an extension runs, and gives 300 to 500 milliseconds. A worker thread (Lambda Managed Instances) is never told: there, a
 * connection ends when it has been idle for long.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
 */
export function closeOnShutdown(close: () => Promise<void>): () => void {
  const isLambda = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? process.env['AWS_LAMBDA_HTTP_ENDPOINT']
  if (isLambda === undefined || !isMainThread) return () => undefined
  if (closers.size === 0) process.once('SIGTERM', shutDown)
  closers.add(close)
  return () => {
    closers.delete(close)
    if (closers.size === 0) process.off('SIGTERM', shutDown)
  }
}

function shutDown(): void {
  void Promise.allSettled([...closers].map((close) => close())).then(() => {
    // Who listens too, has work of their own to end, and ends the process then.
    if (process.listenerCount('SIGTERM') === 0) process.exit(0)
  })
}
