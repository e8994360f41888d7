/** What Lambda puts into the context, and what the middlewares of this package do. */
const reservedKeys: ReadonlySet<unknown> = new Set([
  'awsRequestId',
  'backends',
  'callbackWaitsForEmptyEventLoop',
  'clientContext',
  'connectionDetails',
  'db',
  'done',
  'environment',
  'fail',
  'functionName',
  'functionVersion',
  'getRemainingTimeInMillis',
  'identity',
  'invokedFunctionArn',
  'lambdaContext',
  'logGroupName',
  'logStreamName',
  'memoryLimitInMB',
  'secrets',
  'succeed',
  'tenantId',
])

/** For options that name a key of the context: any that is not somebody else's. `own` is the factory's default. */
export function isContextKey(own: string): (value: unknown) => boolean {
  return (value) =>
    typeof value === 'string' && value !== '' && (value === own || !(reservedKeys.has(value) || value in {}))
}
