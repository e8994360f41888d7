// Each operation of each service, with random inputs and outputs, is the same for the SDK and for the light client.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SeenRequest, errorOf, json, testCredentials, useLightServer } from '../support/light-server.ts'
import { runs } from '../support/runs.ts'
import { type SdkOperation, type Shape, sdkServices } from '../support/sdk-shapes.ts'
import { RandomValues } from '../support/sdk-values.ts'

const server = useLightServer()
const seeds = Array.from({ length: runs(12) }, (_, seed) => seed)

/** What the SDK tells of itself, of its attempts, and of what it has signed. */
const ownHeaders =
  /^(?:user-agent|x-amz-user-agent|amz-sdk-.*|x-amz-date|x-amz-content-sha256|authorization|connection)$/

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/** A request as its service reads it. Tokens are random, and only their form is compared. */
function sent({ method, path, headers, body }: SeenRequest, tokens: readonly string[]): Sent {
  const known = Object.entries(headers).filter(([name]) => !ownHeaders.test(name))
  const members = JSON.parse(body) as Record<string, unknown>
  for (const name of tokens) members[name] = String(members[name]).replaceAll(/[\da-f]/g, 'x')
  return {
    method,
    path,
    headers: { ...Object.fromEntries(known), 'content-length': body.length },
    body: members,
  }
}

/** What a caller gets, with times as numbers, as `docs/light-client.md` tells, and bytes of any class. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}

function membersOf(shape: Shape): Extract<Shape, { members: unknown }>['members'] {
  return 'members' in shape ? shape.members : () => []
}

const messageShape: Shape = {
  kind: 'structure',
  members: () => [{ name: 'Message', shape: { kind: 'text' }, isToken: false }],
}

const md5 = (text: unknown): string => createHash('md5').update(String(text)).digest('hex')
type Message = Record<string, unknown>

/** With the checksums that SQS would give, without which both clients refuse an answer. */
function withChecksums(operation: string, input: Message, output: Message): Message {
  if (operation === 'SendMessage') return { ...output, MD5OfMessageBody: md5(input['MessageBody'] ?? '') }
  if (operation === 'SendMessageBatch') {
    const entries = input['Entries'] as Message[]
    const Successful = entries.map(({ Id, MessageBody }) => ({
      Id,
      MD5OfMessageBody: md5(MessageBody ?? ''),
    }))
    return { ...output, Successful }
  }
  if (operation !== 'ReceiveMessage' || !Array.isArray(output['Messages'])) return output
  const messages = output['Messages'] as Message[]
  return {
    ...output,
    Messages: messages.map((message) => ({ ...message, MD5OfBody: md5(message['Body'] ?? '') })),
  }
}

describe.each(sdkServices)('$name', ({ name, namespace, operations, errors, client, command }) => {
  const region = 'eu-central-1'
  let sdk: ReturnType<typeof client>
  beforeAll(() => {
    const more = { region, credentials: testCredentials, maxAttempts: 1 }
    // Checksums of SQS are told and looked at in other tests, and not in those of what is sent.
    sdk = client({ ...more, endpoint: server.url, md5: false })
  })
  afterAll(() => sdk.destroy())

  const bare = (operation: SdkOperation): Message =>
    operation.name === 'SendMessageBatch' ? { Entries: [{ Id: '1', MessageBody: 'é' }] } : {}

  it.each(operations)('T59: $name is sent as the SDK sends it', async ({ name: operation, input: shape }) => {
    const light = server.client()
    const tokens = membersOf(shape)().filter(({ isToken }) => isToken)
    for (const seed of seeds) {
      const input = new RandomValues(seed).input(shape)
      server.requests.length = 0
      await sdk.send(command(operation, input))
      await light.call(name, operation, input)
      const names = tokens.map(({ name: token }) => token)
      const [bySdk, byLight] = server.requests.map((request) => sent(request, names))
      expect(byLight, `seed ${seed}`).toEqual(bySdk)
    }
  })

  it.each(operations)('T59: what $name gives is what the SDK gives', async (operation) => {
    const light = server.client()
    const input = bare(operation)
    for (const seed of seeds) {
      const output = withChecksums(
        operation.name,
        input,
        new RandomValues(seed).output(operation.output) as Message,
      )
      server.respond = json(200, output)
      const { $metadata: _, ...bySdk } = await sdk.send(command(operation.name, input))
      const byLight = await light.call(name, operation.name, input)
      expect(plain(byLight), `seed ${seed}`).toEqual(plain(bySdk))
    }
  })

  const unknown = [
    'AccessDeniedException',
    'ThrottlingException',
    'InternalFailure',
    'ValidationException',
    'New',
  ]
  const told = [
    ...errors,
    ...unknown.map((code) => ({
      name: code,
      fault: code === 'InternalFailure' ? 'server' : 'client',
      queryCode: code === 'AccessDeniedException' ? 'AccessDenied' : undefined,
      shape: messageShape,
    })),
  ]

  it.each(told)(
    'T59: the error $name is what the SDK makes of it',
    async ({ name: code, fault, queryCode, shape }) => {
      const light = server.client({ maxAttempts: 1 })
      const members = [...new Set([...membersOf(shape)().map((member) => member.name), 'message', 'name'])]
      for (const seed of seeds) {
        const values = new RandomValues(seed)
        const body: Message = { ...values.output(shape) }
        const headers: Record<string, string> = { 'x-amzn-requestid': `id-${seed}` }
        const type = values.pick([
          code,
          `${unknown.includes(code) ? 'com.amazon.coral.service' : namespace}#${code}`,
          `${code}:http://internal.amazon.com/coral/`,
        ])
        if (values.pick([true, false])) headers['x-amzn-errortype'] = type
        else body[values.pick(name === 'sqs' ? ['__type'] : ['__type', 'code'])] = type
        const query = `${queryCode ?? code};${fault === 'client' ? 'Sender' : 'Receiver'}`
        if (name === 'sqs') headers['x-amzn-query-error'] = query
        server.respond = json(fault === 'client' ? 400 : 500, body, headers)
        const [{ name: operation, input }] = operations.slice(0, 1) as [SdkOperation]
        const byLight = facts(await errorOf(light.call(name, operation)), members)
        const ask = command(operation, new RandomValues(seed).input(input))
        expect(byLight, `seed ${seed}`).toEqual(facts(await errorOf(sdk.send(ask)), members))
      }
    },
  )
})

/** What callers look at in an error. */
function facts(error: Error & Record<string, unknown>, members: readonly string[]): Record<string, unknown> {
  const { httpStatusCode, requestId, attempts, totalRetryDelay } = error['$metadata'] as Record<
    string,
    unknown
  >
  return {
    ...Object.fromEntries(members.map((name) => [name, plain(error[name]) ?? undefined])),
    ...{ $fault: error['$fault'], httpStatusCode, requestId, attempts, totalRetryDelay },
  }
}
