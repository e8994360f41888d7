import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { type IncomingMessage, type ServerResponse, createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { dynamodbStreamEvent } from 'clearskies-middy/testing'
import type { Deliver } from './event-bus.ts'

/** Stands in front of a DynamoDB without streams: looks at a table after each write, and tells a function what has changed. */
export interface TableStream {
  readonly url: string
  /** Where changes go, once there is a function. */
  deliver: Deliver | undefined
  stop(): Promise<void>
}

type Item = Readonly<Record<string, unknown>>

const writes = /\.(?:PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/

export async function startTableStream(target: string, table: string, key: string[]): Promise<TableStream> {
  let known = new Map<string, Item>()
  let looking: Promise<unknown> = Promise.resolve()
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new DynamoDBClient({ endpoint: target, region: 'eu-central-1', credentials })
  const keysOf = (item: Item) => Object.fromEntries(key.map((name) => [name, item[name]]))

  async function look(): Promise<void> {
    if (stream.deliver === undefined) return
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))
    const found = new Map(
      Items.map((raw): [string, Item] => [JSON.stringify(keysOf(unmarshall(raw))), unmarshall(raw)]),
    )
    const changes = [...new Set([...known.keys(), ...found.keys()])].flatMap((id) => {
      const [oldItem, newItem] = [known.get(id), found.get(id)]
      if (JSON.stringify(oldItem) === JSON.stringify(newItem)) return []
      return [
        { keys: keysOf(newItem ?? oldItem ?? {}), ...(newItem && { newItem }), ...(oldItem && { oldItem }) },
      ]
    })
    if (changes.length > 0) await stream.deliver(dynamodbStreamEvent(changes))
    // What the function has failed at comes again with the next write.
    known = found
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const { method, headers, url } = request
    const passed = ask(new URL(url ?? '/', target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
      if (answer.statusCode === 200 && writes.test(String(headers['x-amz-target'])))
        looking = looking.then(look).catch(() => undefined)
    })
    passed.on('error', () => response.destroy())
    passed.end(body)
  }

  const server = createServer((request, response) => void forward(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stream: TableStream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliver: undefined,
    async stop() {
      await looking
      client.destroy()
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
  }
  return stream
}
