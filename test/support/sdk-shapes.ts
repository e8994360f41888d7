import * as dynamodb from '@aws-sdk/client-dynamodb'
import * as secretsmanager from '@aws-sdk/client-secrets-manager'
import * as sqs from '@aws-sdk/client-sqs'
import * as ssm from '@aws-sdk/client-ssm'

/** What the schemas of the SDK say of a value. A structure's members come by a call: shapes hold themselves. */
export type Shape =
  | { readonly kind: 'text' | 'number' | 'boolean' | 'time' | 'bytes' | 'nothing' }
  | { readonly kind: 'list' | 'map'; readonly element: () => Shape }
  | { readonly kind: 'structure' | 'union'; readonly members: () => readonly Member[] }

export interface Member {
  readonly name: string
  readonly shape: Shape
  readonly isToken: boolean
}

/** An operation of a service as its SDK has it. */
export interface SdkOperation {
  readonly name: string
  readonly input: Shape
  readonly output: Shape
}

/** An error of a service as its SDK has it. */
export interface SdkError {
  readonly name: string
  readonly fault: 'client' | 'server'
  /** The code of the older protocol. */
  readonly queryCode: string | undefined
  readonly shape: Shape
}

/** The SDK of a service. */
export interface SdkService {
  readonly name: 'dynamodb' | 'sqs' | 'ssm' | 'secretsmanager'
  readonly namespace: string
  readonly operations: readonly SdkOperation[]
  readonly errors: readonly SdkError[]
  readonly client: (options: object) => SdkClient
  readonly command: (operation: string, input: object) => object
}

interface SdkClient {
  send(command: object): Promise<Record<string, unknown>>
  destroy(): void
}

type Schema = readonly unknown[]

export const sdkServices: readonly SdkService[] = [
  service('dynamodb', dynamodb, dynamodb.DynamoDBClient),
  service('sqs', sqs, sqs.SQSClient),
  service('ssm', ssm, ssm.SSMClient),
  service('secretsmanager', secretsmanager, secretsmanager.SecretsManagerClient),
]

function service(
  name: SdkService['name'],
  sdk: Readonly<Record<string, unknown>>,
  Client: unknown,
): SdkService {
  const schemas = Object.values(sdk).filter((value): value is Schema => Array.isArray(value))
  const traitsOf = (schema: Schema): Readonly<Record<string, unknown>> =>
    typeof schema[3] === 'object' ? { ...schema[3] } : {}
  return {
    name,
    namespace: `com.amazonaws.${name}`,
    operations: schemas
      .filter(([tag]) => tag === 9)
      .map(([, , operation, , input, output]) => ({
        name: String(operation),
        input: shapeOf(input),
        output: shapeOf(output),
      })),
    errors: schemas
      // Besides the errors of the service there is one that the SDK has made for all others.
      .filter(([tag, namespace]) => tag === -3 && namespace === `com.amazonaws.${name}`)
      .map((schema) => ({
        name: String(schema[2]),
        fault: traitsOf(schema)['error'] === 'server' ? 'server' : 'client',
        queryCode: (traitsOf(schema)['awsQueryError'] as string[] | undefined)?.[0],
        shape: shapeOf(schema),
      })),
    client: (options) => new (Client as new (options: object) => SdkClient)(options),
    command: (operation, input) =>
      new (sdk[`${operation}Command`] as new (input: object) => object)(structuredClone(input)),
  }
}

/** The number of a simple type, of which 64 makes a list and 128 a map. */
const simple: Readonly<Record<number, Shape>> = {
  0: { kind: 'text' },
  1: { kind: 'number' },
  2: { kind: 'boolean' },
  4: { kind: 'time' },
  21: { kind: 'bytes' },
}

function shapeOf(given: unknown): Shape {
  const schema: unknown = typeof given === 'function' ? (given as () => unknown)() : given
  if (schema === 'unit') return { kind: 'nothing' }
  if (typeof schema === 'number') {
    const shape = simple[schema & 63]
    if (shape === undefined) throw new TypeError(`The SDK has a new type: ${schema}`)
    if (schema < 64) return shape
    return { kind: schema < 128 ? 'list' : 'map', element: () => shape }
  }
  const [tag, , , , third, fourth] = schema as Schema
  // A member is a shape and its traits.
  if ((schema as Schema).length === 2) return shapeOf(tag)
  if (tag === 0) return shapeOf(third)
  if (tag === 1) return { kind: 'list', element: () => shapeOf(third) }
  if (tag === 2) return { kind: 'map', element: () => shapeOf(fourth) }
  const types = fourth as unknown[]
  return {
    kind: tag === 4 ? 'union' : 'structure',
    members: () =>
      (third as string[]).map((name, index) => ({
        name,
        shape: shapeOf(types[index]),
        isToken: isToken(types[index]),
      })),
  }
}

function isToken(member: unknown): boolean {
  return Array.isArray(member) && typeof member[1] === 'number' && (member[1] & 4) !== 0
}
