import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve as serveHono } from '@hono/node-server'
import middy from '@middy/core'
import fastify from 'fastify'
import { Hono } from 'hono'
import { nodeHttp } from '../dist/normalizers/node-http.js'
import { serve } from '../dist/serve.js'

/** The work of each: one query parameter and one header, answered as JSON. */
const answer = (name: string | undefined | null, agent: string | undefined) => ({ hello: name, agent })

const servers: Readonly<Record<string, () => Promise<number>>> = {
  async plain() {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const body = JSON.stringify(answer(url.searchParams.get('name'), request.headers['user-agent']))
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  },
  async ours() {
    const handler = middy()
      .use(nodeHttp())
      .handler(async (request) => answer(request.query.get('name'), request.header('user-agent')))
    return (await serve(handler, { port: 0, host: '127.0.0.1' })).port
  },
  async fastify() {
    const app = fastify()
    app.get<{ Querystring: { name?: string } }>('/', async (request) =>
      answer(request.query.name, request.headers['user-agent']),
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    return (app.server.address() as AddressInfo).port
  },
  hono() {
    const app = new Hono().get('/', (c) => c.json(answer(c.req.query('name'), c.req.header('user-agent'))))
    return new Promise((resolve) => {
      serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
        resolve(port)
      })
    })
  },
}

const [name = ''] = process.argv.slice(2)
const port = await servers[name]?.()
process.send?.({ port })
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.on('disconnect', () => process.exit())
