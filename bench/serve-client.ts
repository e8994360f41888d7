import { connect } from 'node:net'

/** Sends so many requests over so many connections, each waiting for its answer. @returns requests per second */
async function load(port: number, requests: number, connections: number): Promise<number> {
  const request = Buffer.from(
    'GET /?name=ada HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: application/json\r\n\r\n',
  )
  let left = requests
  const started = performance.now()
  const connection = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').setNoDelay()
      socket.once('error', reject)
      socket.on('connect', () => socket.write(request))
      socket.on('data', (chunk) => {
        // Answers are small and come whole; the last byte of each is the end of its JSON.
        if (chunk.at(-1) !== 0x7d) return
        if (left-- > 0) socket.write(request)
        else {
          socket.destroy()
          resolve()
        }
      })
    })
  await Promise.all(Array.from({ length: connections }, connection))
  return requests / ((performance.now() - started) / 1000)
}

process.on(
  'message',
  ({ port, requests, connections }: Record<'port' | 'requests' | 'connections', number>) => {
    void load(port, requests, connections).then((rate) => process.send?.({ rate }))
  },
)
process.on('disconnect', () => process.exit())
