import { isList, isRecord } from './record.ts'
import type { LightService } from './services.ts'

/** Turns the binary members of an answer into bytes, in place. Their place in the answer tells them, and no name. */
export function readBytes(service: LightService, text: string, answer: Record<string, unknown>): void {
  // Most answers have none. A search of the text takes a fraction of a walk over the answer.
  if (service === 'dynamodb') {
    // Quotes are frequent in JSON, so a search that begins with one takes several times as long.
    if (text.includes('B"') || text.includes('BS"')) readTableAnswer(answer)
  } else if (service === 'sqs') {
    if (text.includes('"Binary')) each(answer['Messages'], readMessage)
  } else if (service === 'ssm') {
    if (text.includes('"Payload"')) readTask(answer['TaskInvocationParameters'])
  } else if (text.includes('"SecretBinary"')) {
    readMember(answer, 'SecretBinary')
    each(answer['SecretValues'], (secret) => readMember(secret, 'SecretBinary'))
  }
}

type ByteReader = (value: Record<string, unknown>) => void

/** Reads each element of a list, or each member of an object. */
function each(values: unknown, read: ByteReader): void {
  if (typeof values !== 'object' || values === null) return
  for (const value of Object.values(values)) if (isRecord(value)) read(value)
}

function readMember(holder: Record<string, unknown>, name: string): void {
  const text = holder[name]
  if (typeof text === 'string') holder[name] = fromBase64(text)
}

function readMembers(holder: Record<string, unknown>, name: string): void {
  const texts = holder[name]
  if (isList(texts)) holder[name] = texts.map((text) => (typeof text === 'string' ? fromBase64(text) : text))
}

function fromBase64(text: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(text, 'base64')
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function readMessage(message: Record<string, unknown>): void {
  each(message['MessageAttributes'], (attribute) => {
    readMember(attribute, 'BinaryValue')
    readMembers(attribute, 'BinaryListValues')
  })
}

/** What a task of a maintenance window gives a function. */
function readTask(task: unknown): void {
  if (isRecord(task) && isRecord(task['Lambda'])) readMember(task['Lambda'], 'Payload')
}

/** Where answers of DynamoDB have items: those of reads, of writes, of batches, of transactions, of PartiQL and of searches. */
function readTableAnswer(answer: Record<string, unknown>): void {
  for (const name of ['Item', 'Attributes', 'Key', 'LastEvaluatedKey']) readItem(answer[name])
  each(answer['Items'], readItem)
  for (const name of ['CancellationReasons', 'SearchResults']) each(answer[name], readHolder)
  const { Responses: responses, UnprocessedKeys: keys, UnprocessedItems: items } = answer
  if (isList(responses)) each(responses, readHolder)
  else eachList(responses, readItem)
  each(keys, (table) => each(table['Keys'], readItem))
  eachList(items, ({ PutRequest: put, DeleteRequest: remove }) => {
    if (isRecord(put)) readItem(put['Item'])
    if (isRecord(remove)) readItem(remove['Key'])
  })
  readMetrics(answer['ItemCollectionMetrics'])
  readExport(answer['ExportDescription'])
}

/** The values of its filter. */
function readExport(description: unknown): void {
  const filter = isRecord(description) ? description['FilterSpecification'] : undefined
  if (isRecord(filter)) readItem(filter['ExpressionAttributeValues'])
}

/** Reads each element of each list, by table. */
function eachList(lists: unknown, read: ByteReader): void {
  if (isRecord(lists)) for (const list of Object.values(lists)) each(list, read)
}

/** What has an item, or an error with an item. */
function readHolder(holder: Record<string, unknown>): void {
  readItem(holder['Item'])
  if (isRecord(holder['Error'])) readItem(holder['Error']['Item'])
}

/** Of one table, or a list for each table. */
function readMetrics(metrics: unknown): void {
  if (!isRecord(metrics)) return
  const { ItemCollectionKey: key } = metrics
  if (isRecord(key)) readItem(key)
  else eachList(metrics, (of) => readItem(of['ItemCollectionKey']))
}

/** An item is a map of names, which are the user's, to attributes. */
function readItem(item: unknown): void {
  each(item, readAttribute)
}

/** An attribute has one tag, which tells what it is. */
function readAttribute(attribute: Record<string, unknown>): void {
  const { B: bytes, BS: set, M: map, L: list } = attribute
  if (bytes !== undefined) readMember(attribute, 'B')
  else if (set !== undefined) readMembers(attribute, 'BS')
  else if (map !== undefined) readItem(map)
  else if (list !== undefined) each(list, readAttribute)
}
