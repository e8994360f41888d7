// A table that answers at once, in a process of its own: what it computes is not charged to who asks.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import { type Product, product, toWire } from './dynamodb-items.ts'

/** As many items of 1.3 KB as there are in a response of 1 MB. */
const pageSize = 780

interface Input {
  readonly ExclusiveStartKey?: { readonly sk: { readonly S: string } }
  readonly Limit?: number
  readonly Select?: string
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>
}

const wires = new Map<number, object>()
function wire(index: number): object {
  let made = wires.get(index)
  if (made === undefined) wires.set(index, (made = toWire(product(index))))
  return made
}

/** The partition's name tells how many items it has: `items-1000`. */
function query({
  ExclusiveStartKey,
  Limit = pageSize,
  Select,
  ExpressionAttributeValues = {},
}: Input): object {
  const partition =
    Object.values(ExpressionAttributeValues).find(({ S: value }) => value?.startsWith('items-'))?.S ?? ''
  const total = Number(partition.slice(6))
  const start = ExclusiveStartKey === undefined ? 0 : Number(ExclusiveStartKey.sk.S) + 1
  const end = Math.min(total, start + Math.min(Limit, pageSize))
  const more = end < total && {
    LastEvaluatedKey: { id: { S: partition }, sk: { S: String(end - 1).padStart(8, '0') } },
  }
  const Count = end - start
  if (Select === 'COUNT') return { Count, ScannedCount: Count, ...more }
  const Items = Array.from({ length: Count }, (_, index) => wire(start + index))
  return { Items, Count, ScannedCount: Count, ...more }
}

const item = JSON.stringify({ Item: toWire(product(0)) })

async function answer(target: string, body: string): Promise<string> {
  if (target.endsWith('.GetItem')) return item
  if (target.endsWith('.PutItem')) return '{}'
  return JSON.stringify(query(JSON.parse(body) as Input))
}

const checksums = new Map<string, number>()
function checksumOf(text: string): number {
  let checksum = checksums.get(text)
  if (checksum === undefined) checksums.set(text, (checksum = crc32(text)))
  return checksum
}

const server = createServer((request, response) => {
  void text(request)
    .then((body) => answer(String(request.headers['x-amz-target']), body))
    .then((output) => {
      // As the service does: who reads checksums pays for it.
      const headers = {
        'content-type': 'application/x-amz-json-1.0',
        'x-amzn-requestid': 'VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV',
        'x-amz-crc32': String(checksumOf(output)),
      }
      response.writeHead(200, headers).end(output)
    })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

export type { Product }
