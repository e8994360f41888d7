import { isRecord } from './record.ts'

const { hash } = process.getBuiltinModule('node:crypto')

/**
 * The ids of the messages that SQS has in another form than the caller: its checksum of the body differs.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatchResultEntry.html
 */
export function damagedMessages(
  operation: string,
  input: unknown,
  output: Readonly<Record<string, unknown>>,
): string[] {
  const damaged: string[] = []
  const check = (message: Readonly<Record<string, unknown>>, body: unknown, checksum: unknown): void => {
    const isDamaged =
      typeof checksum === 'string' && typeof body === 'string' && checksum !== messageChecksum(body, checksum)
    if (isDamaged) damaged.push(String(message['MessageId']))
  }
  if (operation === 'SendMessage' && isRecord(input))
    check(output, input['MessageBody'], output['MD5OfMessageBody'])
  if (operation === 'ReceiveMessage')
    for (const message of records(output['Messages'])) check(message, message['Body'], message['MD5OfBody'])
  if (operation === 'SendMessageBatch' && isRecord(input)) {
    const bodies = new Map(records(input['Entries']).map((entry) => [entry['Id'], entry['MessageBody']]))
    for (const entry of records(output['Successful']))
      check(entry, bodies.get(entry['Id']), entry['MD5OfMessageBody'])
  }
  return damaged
}

function records(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isRecord) : []
}

/** Where Node may not compute it, as in FIPS mode, nothing is checked. */
function messageChecksum(body: string, otherwise: string): string {
  try {
    return hash('md5', body)
  } catch {
    return otherwise
  }
}
