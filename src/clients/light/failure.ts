import type { Answer } from './http.ts'
import { readBytes } from './bytes.ts'
import { dropNulls, isRecord, textOf } from './record.ts'
import type { LightService } from './services.ts'

/** An error of an answer that says that the request has failed. */
export function serviceError(service: LightService, answer: Answer): Error {
  const { status } = answer
  const body = failureBody(service, answer)
  const message = textOf(body['message']) ?? textOf(body['Message']) ?? 'UnknownError'
  const error = Object.assign(new Error(message), {
    name: codeOf(service, answer, body),
    $fault: status >= 500 ? 'server' : 'client',
  })
  for (const [name, value] of Object.entries(body)) {
    const isPart = name === 'Message' || name === '__type' || name === 'cause' || name in error
    if (!isPart) Object.assign(error, { [name]: value })
  }
  return error
}

const nothing = Buffer.alloc(0)

/** A proxy in between answers with anything. Then the status decides alone. */
function failureBody(service: LightService, answer: Answer): Record<string, unknown> {
  try {
    return parsedFailure(service, answer)
  } catch {
    return {}
  }
}

/** The members of an answer. @throws an error that may quote the answer */
export function parsedFailure(service: LightService, answer: Answer): Record<string, unknown> {
  const text = answer.body.toString()
  answer.body = nothing
  const members: unknown = JSON.parse(text)
  if (!isRecord(members)) throw new TypeError('The answer is no object')
  // As AWS writes it, and as emulators do. A search that begins with a letter would take many times as long.
  if (text.includes(':null') || text.includes(': null')) dropNulls(members)
  readBytes(service, text, members)
  return members
}

function codeOf(
  service: LightService,
  { header }: Answer,
  { __type: type, code, Code }: Readonly<Record<string, unknown>>,
): string {
  // SQS tells the code of its older protocol, too. The SDK takes that where it has no class for the type.
  const older = service === 'sqs' && !textOf(type)?.startsWith('com.amazonaws.sqs#')
  const query = older ? header('x-amzn-query-error')?.split(';')[0] : undefined
  const candidates = [query && nameOfOlderCode(query), type, code, Code, header('x-amzn-errortype')]
  for (const candidate of candidates) {
    const plain = textOf(candidate)?.split(',')[0]?.split(':')[0]?.split('#').at(-1)?.trim()
    if (plain !== undefined && plain !== '') return plain
  }
  return 'Unknown'
}

/** What the protocol of today calls an error of SQS's older one. */
function nameOfOlderCode(code: string): string {
  const name = code.replace('AWS.SimpleQueueService.', '').replace(/^KMS\.(\w+?)(?:Exception)?$/, 'Kms$1')
  return newerNames.get(name) ?? name
}

const newerNames: ReadonlyMap<string, string> = new Map([
  ['NonExistentQueue', 'QueueDoesNotExist'],
  ['QueueAlreadyExists', 'QueueNameExists'],
  ['KmsThrottling', 'KmsThrottled'],
])
