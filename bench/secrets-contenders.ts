import { DEFAULT_PROVIDERS } from '@aws-lambda-powertools/parameters/base'
import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets'
import { SSMProvider } from '@aws-lambda-powertools/parameters/ssm'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SSMClient } from '@aws-sdk/client-ssm'
import middySecretsManager from '@middy/secrets-manager'
import ssm from '@middy/ssm'
import type { Secrets } from '../dist/middleware/secrets.js'
import { lambdaContext } from '../dist/testing/index.js'
import { startAwsStandIn } from '../examples/shop/local/aws-stand-in.ts'

/** Holds what is read, and counts who reads it how. */
export const aws = await startAwsStandIn()
const numbers = Array.from({ length: 25 }, (_, index) => index)
export const paths = numbers.map((number) => `/shop/key-${number}`)
export const names = numbers.map((number) => `shop/key-${number}`)
for (const path of paths)
  aws.parameters.set(path, { versions: ['hunter2'], type: 'SecureString', labels: new Map() })
for (const name of names)
  aws.secrets.set(name, {
    arn: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`,
    versions: new Map([['1', { string: 'hunter2' }]]),
    stages: new Map([['AWSCURRENT', '1']]),
    deleted: false,
  })
const config = {
  endpoint: aws.url,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
}
export const client = new SSMClient(config)
export const secretsClient = new SecretsManagerClient(config)

/** A middleware's hook. */
export type Before = (request: { event: unknown; context: object; internal: object }) => unknown

export const invocation = () => ({ event: {}, context: { ...lambdaContext() }, internal: {} })

/** The secrets as a handler finds them. */
export async function secretsOf(middleware: { before?: unknown }): Promise<Secrets> {
  const request = invocation()
  await (middleware.before as Before)(request)
  return (request.context as unknown as { secrets: Secrets }).secrets
}

let instances = 0

/** Middy's loaders, each with a cache of its own; without the name, all would share one. */
export function middyLoader(
  factory: typeof ssm | typeof middySecretsManager,
  names: readonly string[],
  options: { readonly cacheExpiry?: number } = {},
): Before {
  const AwsClient = function () {
    return (factory as unknown) === ssm ? client : secretsClient
  }
  const middleware = (factory as (options: object) => { before?: unknown })({
    AwsClient,
    fetchData: Object.fromEntries(names.map((name, index) => [`k${index}`, name])),
    disablePrefetch: true,
    cacheKey: `bench-${instances++}`,
    setToContext: true,
    ...options,
  })
  return middleware.before as Before
}

/** Powertools' functions read with providers of the process: new ones, which hold nothing. */
export function resetPowertools(): void {
  DEFAULT_PROVIDERS['ssm'] = new SSMProvider({ awsSdkV3Client: client })
  DEFAULT_PROVIDERS['secrets'] = new SecretsProvider({ awsSdkV3Client: secretsClient })
}

/** Ends the server and the clients, for the process to end. */
export async function closeSecrets(): Promise<void> {
  client.destroy()
  secretsClient.destroy()
  await aws.close()
}
