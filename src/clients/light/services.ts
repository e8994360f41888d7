/** A service that the light client knows. */
export type LightService = 'dynamodb' | 'sqs' | 'ssm' | 'secretsmanager'

/** How a service is spoken to. */
export interface ServiceWire {
  readonly name: LightService
  /** What stands in front of an operation's name in the header `x-amz-target`. */
  readonly target: string
  readonly contentType: string
  /** How often a call is tried in all, where no option says it. */
  readonly attempts: number
  /** The first wait before another try, in milliseconds. */
  readonly baseDelay: number
  /** The variable that names an endpoint of this service alone. */
  readonly endpointVariable: string
  /** The operations that take an idempotency token, and the member that is it. */
  readonly tokens: Readonly<Record<string, string>>
}

const usual = { contentType: 'application/x-amz-json-1.1', attempts: 3, baseDelay: 50 }

const wires: readonly ServiceWire[] = [
  {
    name: 'dynamodb',
    target: 'DynamoDB_20120810.',
    contentType: 'application/x-amz-json-1.0',
    attempts: 4,
    baseDelay: 25,
    endpointVariable: 'AWS_ENDPOINT_URL_DYNAMODB',
    tokens: {
      ...sameToken('ClientRequestToken', ['ExecuteTransaction', 'TransactWriteItems']),
      ...sameToken('ClientToken', ['ExportTableToPointInTime', 'ImportTable', 'StartBulkPutItems']),
    },
  },
  {
    ...usual,
    name: 'sqs',
    target: 'AmazonSQS.',
    contentType: 'application/x-amz-json-1.0',
    endpointVariable: 'AWS_ENDPOINT_URL_SQS',
    tokens: {},
  },
  {
    ...usual,
    name: 'ssm',
    target: 'AmazonSSM.',
    endpointVariable: 'AWS_ENDPOINT_URL_SSM',
    tokens: sameToken('ClientToken', [
      'CreateMaintenanceWindow',
      'CreatePatchBaseline',
      'DeleteInventory',
      'RegisterTargetWithMaintenanceWindow',
      'RegisterTaskWithMaintenanceWindow',
    ]),
  },
  {
    ...usual,
    name: 'secretsmanager',
    target: 'secretsmanager.',
    endpointVariable: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
    tokens: sameToken('ClientRequestToken', [
      'CreateSecret',
      'PutSecretValue',
      'RotateSecret',
      'UpdateSecret',
    ]),
  },
]

/** How a service is spoken to; `undefined` for one that the light client does not know. */
export function wireOf(service: unknown): ServiceWire | undefined {
  return wires.find(({ name }) => name === service)
}

function sameToken(member: string, operations: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(operations.map((operation) => [operation, member]))
}
