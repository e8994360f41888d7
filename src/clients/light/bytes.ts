import { isList, isRecord } from './record.ts'
import type { LightService } from './services.ts'

/**
 * Writes an input as JSON, with bytes as base64. An input without bytes takes a walk and no copy: a replacer would make
 * `JSON.stringify` several times as slow.
 *
 * @throws TypeError for what JSON cannot hold
 */
export function inputText(input: object | undefined): string {
  return JSON.stringify(withText(input, 0) ?? {})
}

/** Deeper than any input that a service takes: what is nested so deep has a cycle, which `JSON.stringify` reports. */
const maxDepth = 200

/** The same value, or a copy where there are bytes in it. */
function withText(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return value
  // By what it is and not by its class: bytes of another realm are bytes, too.
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64')
  if (isList(value)) return listWithText(value, depth + 1)
  return isRecord(value) ? recordWithText(value, depth + 1) : value
}

function listWithText(list: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const text = withText(list[index], depth)
    if (text !== list[index]) (copy ??= [...list])[index] = text
  }
  return copy ?? list
}

function recordWithText(record: Readonly<Record<string, unknown>>, depth: number): object {
  let texts: Map<string, unknown> | undefined
  for (const name of Object.keys(record)) {
    const text = withText(record[name], depth)
    if (text !== record[name]) (texts ??= new Map<string, unknown>()).set(name, text)
  }
  if (texts === undefined) return record
  // A column may be called `__proto__`, which entries keep as a name.
  return Object.fromEntries(
    Object.keys(record).map((name) => [name, texts.has(name) ? texts.get(name) : record[name]]),
  )
}

/** Turns the binary members of an answer into bytes, in place. Their place in the answer tells them, and no name. */
export function readBytes(service: LightService, text: string, answer: Record<string, unknown>): void {
  // Most answers have none. A search of the text takes a fraction of a walk over the answer.
  if (service === 'dynamodb') {
    // Quotes are frequent in JSON, so a search that begins with one takes several times as long.
    if (text.includes('B"') || text.includes('BS"')) readTableAnswer(answer)
  } else if (service === 'sqs') {
    if (text.includes('"BinaryValue"')) each(answer['Messages'], readMessage)
  } else if (service === 'secretsmanager' && text.includes('"SecretBinary"')) {
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
  if (typeof text === 'string') holder[name] = bytesOf(text)
}

function bytesOf(text: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(text, 'base64')
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function readMessage(message: Record<string, unknown>): void {
  each(message['MessageAttributes'], (attribute) => readMember(attribute, 'BinaryValue'))
}

/** Where answers of DynamoDB have items: those of reads, of writes, of batches, of transactions and of PartiQL. */
function readTableAnswer(answer: Record<string, unknown>): void {
  for (const name of ['Item', 'Attributes', 'Key', 'LastEvaluatedKey']) readItem(answer[name])
  each(answer['Items'], readItem)
  each(answer['CancellationReasons'], readHolder)
  const { Responses: responses, UnprocessedKeys: keys, UnprocessedItems: items } = answer
  if (isList(responses)) each(responses, readHolder)
  else eachList(responses, readItem)
  each(keys, (table) => each(table['Keys'], readItem))
  eachList(items, ({ PutRequest: put, DeleteRequest: remove }) => {
    if (isRecord(put)) readItem(put['Item'])
    if (isRecord(remove)) readItem(remove['Key'])
  })
  readMetrics(answer['ItemCollectionMetrics'])
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
  if (typeof bytes === 'string') attribute['B'] = bytesOf(bytes)
  else if (isList(set)) attribute['BS'] = set.map((text) => (typeof text === 'string' ? bytesOf(text) : text))
  else if (map !== undefined) readItem(map)
  else if (list !== undefined) each(list, readAttribute)
}
