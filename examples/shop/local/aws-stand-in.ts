import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A small stand-in for Parameter Store and Secrets Manager: the two services speak AWS JSON 1.1 over HTTP, and nothing
 * embeddable exists for them. It keeps everything in memory and checks no signatures.
 */
export interface AwsStandIn {
  readonly url: string
  readonly parameters: Map<string, StoredParameter>
  readonly secrets: Map<string, StoredSecret>
  /** Every call, in order: its operation and input. */
  readonly calls: { readonly operation: string; readonly input: Fields }[]
  /** Looks at a call before it is answered, and may answer it, throw an {@link AwsError} or wait. */
  intercept: ((operation: string, input: Fields, response: ServerResponse) => unknown) | undefined
  close(): Promise<void>
}

export interface StoredParameter {
  readonly versions: string[]
  readonly type: string
  readonly labels: Map<string, number>
}

export interface StoredSecret {
  readonly arn: string
  /** The value of each version, by its id. */
  readonly versions: Map<string, { readonly string?: string; readonly binary?: string }>
  /** The version of each staging label. */
  readonly stages: Map<string, string>
  deleted: boolean
}

/** What a request puts into a secret. Its token becomes the version's id; the clients make one. */
interface NewVersion {
  readonly ClientRequestToken?: string
  readonly SecretString?: string
  readonly SecretBinary?: string
  readonly VersionStages?: string[]
}

export type Fields = Record<string, unknown>

/** An error that the service answers with. */
export class AwsError extends Error {
  override name = 'AwsError'
  readonly code: string
  readonly status: number

  constructor(code: string, message: string = code, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

const account = '123456789012'
const region = 'eu-central-1'

export async function startAwsStandIn(port = 0): Promise<AwsStandIn> {
  const standIn = {
    parameters: new Map<string, StoredParameter>(),
    secrets: new Map<string, StoredSecret>(),
    calls: [] as { operation: string; input: Fields }[],
    intercept: undefined as AwsStandIn['intercept'],
  }
  const server: Server = createServer((request, response) => {
    void answer(standIn, request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return Object.assign(standIn, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  })
}

type State = Omit<AwsStandIn, 'url' | 'close'>

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const operation = String(request.headers['x-amz-target']).split('.').at(-1) as string
  const input = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Fields
  state.calls.push({ operation, input })
  try {
    const output = (await state.intercept?.(operation, input, response)) ?? run(state, operation, input)
    if (!response.headersSent && !response.destroyed) reply(response, 200, output)
  } catch (error) {
    const { code, status, message } =
      error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500)
    if (!response.headersSent && !response.destroyed) reply(response, status, { __type: code, message })
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  })
  response.end(JSON.stringify(body))
}

function run(state: State, operation: string, input: Fields): unknown {
  const operations: Readonly<Record<string, (input: never) => unknown>> = {
    ...parameterOperations(state),
    ...secretOperations(state),
  }
  const found = operations[operation]
  if (found === undefined)
    throw new AwsError('UnknownOperationException', `The stand-in does not know ${operation}`)
  return found(input as never)
}

function parameterOperations({ parameters }: State) {
  function read(asked: string) {
    const arn = asked.startsWith('arn:') ? asked.replace(/^arn:[\w-]+:ssm:[\w-]*:\d*:parameter/, '') : asked
    const [name = '', selector] = arn.split(':')
    const stored = parameters.get(name) ?? parameters.get(name.replace(/^\//, ''))
    if (stored === undefined) return undefined
    const version =
      selector === undefined ? stored.versions.length : (stored.labels.get(selector) ?? Number(selector))
    const value = stored.versions[version - 1]
    if (value === undefined) return undefined
    const plainName = parameters.has(name) ? name : name.replace(/^\//, '')
    return {
      Name: plainName,
      Type: stored.type,
      Value: value,
      Version: version,
      ...(selector !== undefined && { Selector: `:${selector}` }),
      ARN: `arn:aws:ssm:${region}:${account}:parameter${plainName.startsWith('/') ? '' : '/'}${plainName}`,
    }
  }
  return {
    GetParameters({ Names }: { Names: string[] }) {
      if (Names.length > 10)
        throw new AwsError('ValidationException', 'Member must have length less than or equal to 10')
      if (new Set(Names).size < Names.length)
        throw new AwsError('ValidationException', 'Names must be unique')
      const found = Names.map(read)
      return {
        Parameters: found.filter((parameter) => parameter !== undefined),
        InvalidParameters: Names.filter((_, index) => found[index] === undefined),
      }
    },
    GetParameter({ Name }: { Name: string }) {
      const found = read(Name)
      if (found === undefined) throw new AwsError('ParameterNotFound', '')
      return { Parameter: found }
    },
    GetParametersByPath({
      Path,
      Recursive = false,
      NextToken,
      MaxResults = 10,
    }: {
      Path: string
      Recursive?: boolean
      NextToken?: string
      MaxResults?: number
    }) {
      const prefix = Path.endsWith('/') ? Path : `${Path}/`
      const names = [...parameters.keys()]
        .filter((name) => name.startsWith(prefix) && (Recursive || !name.slice(prefix.length).includes('/')))
        .sort()
      const start = Number(NextToken ?? 0)
      const page = names.slice(start, start + Math.min(MaxResults, 10))
      return {
        Parameters: page.map(read),
        ...(start + page.length < names.length && { NextToken: String(start + page.length) }),
      }
    },
    PutParameter({
      Name,
      Value,
      Type,
      Overwrite = false,
    }: {
      Name: string
      Value: string
      Type?: string
      Overwrite?: boolean
    }) {
      const stored = parameters.get(Name)
      if (stored !== undefined && !Overwrite)
        throw new AwsError('ParameterAlreadyExists', 'The parameter already exists.')
      const type = stored?.type ?? Type
      if (type === undefined) throw new AwsError('ValidationException', 'A parameter type is required.')
      if (Type !== undefined && Type !== type)
        throw new AwsError('ValidationException', 'The type of a parameter cannot be changed.')
      const versions = [...(stored?.versions ?? []), Value]
      parameters.set(Name, { versions, type, labels: stored?.labels ?? new Map<string, number>() })
      return { Version: versions.length, Tier: 'Standard' }
    },
    LabelParameterVersion({
      Name,
      ParameterVersion,
      Labels,
    }: {
      Name: string
      ParameterVersion?: number
      Labels: string[]
    }) {
      const stored = parameters.get(Name)
      if (stored === undefined) throw new AwsError('ParameterNotFound')
      for (const label of Labels) stored.labels.set(label, ParameterVersion ?? stored.versions.length)
      return { InvalidLabels: [] }
    },
    DeleteParameter({ Name }: { Name: string }) {
      if (!parameters.delete(Name)) throw new AwsError('ParameterNotFound')
      return {}
    },
  }
}

function secretOperations({ secrets }: State) {
  function find(id: string, evenDeleted = false): [name: string, secret: StoredSecret] {
    const found = [...secrets].find(([name, { arn }]) => id === name || id === arn || arn.slice(0, -7) === id)
    if (found === undefined)
      throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
    if (found[1].deleted && !evenDeleted)
      throw new AwsError('InvalidRequestException', 'The secret was marked for deletion.')
    return found
  }
  function read({
    SecretId,
    VersionId,
    VersionStage,
  }: {
    SecretId: string
    VersionId?: string
    VersionStage?: string
  }) {
    const [name, { arn, versions, stages }] = find(SecretId)
    const id = VersionId ?? stages.get(VersionStage ?? 'AWSCURRENT') ?? ''
    const value = versions.get(id)
    if (value === undefined)
      throw new AwsError(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret value.",
      )
    return {
      ARN: arn,
      Name: name,
      VersionId: id,
      VersionStages: [...stages].filter(([, version]) => version === id).map(([stage]) => stage),
      ...(value.string !== undefined && { SecretString: value.string }),
      ...(value.binary !== undefined && { SecretBinary: value.binary }),
    }
  }
  /** Once for each token: a request that is made again does nothing more. */
  function put(
    secret: StoredSecret,
    { ClientRequestToken: id, SecretString, SecretBinary, VersionStages = ['AWSCURRENT'] }: NewVersion,
  ): string {
    if (id === undefined)
      throw new AwsError('InvalidRequestException', 'You must provide a ClientRequestToken value.')
    const before = secret.versions.get(id)
    if (before !== undefined) {
      if (before.string === SecretString && before.binary === SecretBinary) return id
      throw new AwsError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${id} because that value is already in use`,
      )
    }
    secret.versions.set(id, {
      ...(SecretString !== undefined && { string: SecretString }),
      ...(SecretBinary !== undefined && { binary: SecretBinary }),
    })
    const current = secret.stages.get('AWSCURRENT')
    if (VersionStages.includes('AWSCURRENT') && current !== undefined)
      secret.stages.set('AWSPREVIOUS', current)
    for (const stage of VersionStages) secret.stages.set(stage, id)
    return id
  }
  return {
    GetSecretValue: read,
    BatchGetSecretValue({ SecretIdList }: { SecretIdList: string[] }) {
      if (SecretIdList.length > 20)
        throw new AwsError('ValidationException', 'Member must have length less than or equal to 20')
      const SecretValues: unknown[] = []
      const Errors: unknown[] = []
      for (const SecretId of SecretIdList) {
        try {
          SecretValues.push(read({ SecretId }))
        } catch (error) {
          Errors.push({ SecretId, ErrorCode: (error as AwsError).code, Message: (error as AwsError).message })
        }
      }
      return { SecretValues, Errors }
    },
    CreateSecret({ Name, ...value }: NewVersion & { Name?: string }) {
      if (Name === undefined) throw new AwsError('ValidationException', 'Name is required')
      const existing = secrets.get(Name)
      if (existing?.versions.has(value.ClientRequestToken ?? '') === true)
        return { ARN: existing.arn, Name, VersionId: put(existing, value) }
      if (existing !== undefined)
        throw new AwsError(
          'ResourceExistsException',
          'The operation failed because the secret already exists.',
        )
      const secret: StoredSecret = {
        arn: `arn:aws:secretsmanager:${region}:${account}:secret:${Name}-AbCdEf`,
        versions: new Map(),
        stages: new Map(),
        deleted: false,
      }
      const VersionId = put(secret, value)
      secrets.set(Name, secret)
      return { ARN: secret.arn, Name, VersionId }
    },
    PutSecretValue({ SecretId, ...value }: NewVersion & { SecretId: string }) {
      const [name, secret] = find(SecretId)
      return { ARN: secret.arn, Name: name, VersionId: put(secret, value) }
    },
    UpdateSecret({ SecretId, ...value }: NewVersion & { SecretId: string; KmsKeyId?: string }) {
      const [name, secret] = find(SecretId)
      return { ARN: secret.arn, Name: name, VersionId: put(secret, value) }
    },
    DeleteSecret({
      SecretId,
      ForceDeleteWithoutRecovery = false,
    }: {
      SecretId: string
      ForceDeleteWithoutRecovery?: boolean
    }) {
      const isForced = ForceDeleteWithoutRecovery
      const [name, secret] = find(SecretId, isForced)
      secret.deleted = true
      if (isForced) secrets.delete(name)
      return { ARN: secret.arn, Name: name }
    },
    ListSecrets({
      Filters = [],
      NextToken,
      MaxResults = 100,
    }: {
      Filters?: { Key: string; Values: string[] }[]
      NextToken?: string
      MaxResults?: number
    }) {
      const prefix = Filters.find(({ Key }) => Key === 'name')?.Values[0] ?? ''
      const names = [...secrets.keys()]
        .filter((name) => name.startsWith(prefix) && secrets.get(name)?.deleted === false)
        .sort()
      const start = Number(NextToken ?? 0)
      const page = names.slice(start, start + MaxResults)
      return {
        SecretList: page.map((Name) => ({ Name, ARN: secrets.get(Name)?.arn })),
        ...(start + page.length < names.length && { NextToken: String(start + page.length) }),
      }
    },
  }
}
