// How work grows with what a client sends, or a source gives, piece by piece.
import { once } from 'node:events'
import { connect } from 'node:net'
import middy from '@middy/core'
import { nodeHttp, respond } from 'clearskies-middy'
import { serve } from 'clearskies-middy/serve'
import { afterAll, beforeAll, it } from 'vitest'
import { growsLinearly } from '../support/growth.ts'

async function* listOf(count: number, piece: string) {
  for (let at = 0; at < count; at++) yield piece
}

const handler = middy()
  .use(nodeHttp())
  .handler(({ path, query, data }) => {
    const count = Number(query.get('n'))
    if (path === '/pieces') return respond.stream(listOf(count, 'ä\ud83d'))
    if (path === '/lines') {
      const events = (async function* () {
        yield { data: 'a\r\n'.repeat(count) }
      })()
      return respond.events(events)
    }
    return { type: typeof data }
  })

let server: Awaited<ReturnType<typeof serve>>
beforeAll(async () => {
  server = await serve(handler, { port: 0, host: '127.0.0.1' })
})
afterAll(() => server.close())

it.each(['/pieces', '/lines'])('a stream of %s grows with its length', async (path) => {
  await growsLinearly((count) => async () => (await fetch(`${server.url}${path}?n=${count}`)).text(), 5000)
})

it('a body that comes in pieces of a byte is read in time that grows with its length', async () => {
  await growsLinearly(
    (count) => async () => {
      const socket = connect(server.port, '127.0.0.1').setNoDelay()
      await once(socket, 'connect')
      socket.write(
        'POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      for (let at = 0; at < count; at++) socket.write('1\r\n7\r\n')
      socket.end('0\r\n\r\n')
      socket.resume()
      await once(socket, 'close')
    },
    2000,
  )
})
