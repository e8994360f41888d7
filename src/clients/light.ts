import { HttpClient, type LightClient, type LightOptions } from './light/client.ts'
import { isCredentials } from './light/credentials.ts'
import { isEndpoint, isRegion } from './light/endpoint.ts'
import { SharedClients } from './light/shared-clients.ts'

export type { LightCall, LightClient, LightOptions } from './light/client.ts'
export type { LightCredentials } from './light/light-credentials.ts'
export type { LightError, LightMetadata } from './light/light-error.ts'
export type { LightService } from './light/services.ts'

const shared = new SharedClients((options) => new HttpClient(options))

/**
 * Makes a client of DynamoDB, SQS, Systems Manager and Secrets Manager that loads within milliseconds and takes a fraction
 * of the SDK's processor time. It goes wherever the library takes a `client`. All calls with equal options give the same
 * client.
 *
 * @throws TypeError for an option that does not exist or has a wrong value
 * @example
 * ```ts
 * import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
 * import { model } from 'clearskies-middy/backends/model'
 * import { light } from 'clearskies-middy/clients/light'
 * import * as z from 'zod'
 *
 * const Product = model({ name: 'products', key: ['id'], schema: z.object({ id: z.string() }) })
 * export const products = new DynamoDbBackend(Product, { client: light() })
 *
 * const { Item } = await light().call('dynamodb', 'GetItem', { TableName: 'products', Key: { id: { S: '1' } } })
 * console.log(Item)
 * ```
 */
export function light(options: LightOptions = {}): LightClient {
  check(options)
  return shared.get(options)
}

type Check = (value: unknown) => boolean

const isCallable: Check = (value) => typeof value === 'function'
const isPositiveCount: Check = (value) => Number.isSafeInteger(value) && Number(value) > 0
/** What a timer of Node can wait for. */
const isTime: Check = (value) => typeof value === 'number' && value > 0 && value < 2 ** 31

const checks = new Map<string, Check>([
  ['region', isRegion],
  ['endpoint', isEndpoint],
  ['credentials', (value) => isCallable(value) || isCredentials(value)],
  ['maxAttempts', isPositiveCount],
  ['connectTimeout', isTime],
  ['requestTimeout', isTime],
  ['maxSockets', isPositiveCount],
  ['onCall', isCallable],
])

/** As the library's other factories do it, whose check is not loaded with this file. @throws TypeError */
function check(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const isRight = checks.get(name)
    if (isRight === undefined)
      throw new TypeError(`light() has no option "${name}"; it has ${[...checks.keys()].join(', ')}`)
    if (value !== undefined && !isRight(value))
      throw new TypeError(`light(): the option "${name}" has a wrong value`)
  }
}
