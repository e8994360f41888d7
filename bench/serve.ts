import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { median, table } from './harness.ts'

/** What a server does at 50 connections. */
export interface Served {
  readonly name: string
  /** Requests per second, the median of all rounds. */
  readonly rate: number
  /** Beside Fastify's. */
  readonly ratio: number
  /** Microseconds of processor time per request in the server's process. */
  readonly cpu: number
}

const contenders = {
  fastify: 'Fastify',
  ours: 'serve() of this package',
  hono: 'Hono, @hono/node-server',
  plain: 'node:http alone',
}

const connections = 50

async function ask<T>(child: ChildProcess, message: object): Promise<T> {
  const reply = once(child, 'message')
  child.send(message)
  return (await reply)[0] as T
}

/** Servers and client are processes of their own; the servers are measured in turns. */
export async function benchServe(rounds: number, requests: number): Promise<Served[]> {
  const script = (file: string): string => new URL(file, import.meta.url).pathname
  const client = fork(script('serve-client.ts'))
  const servers = Object.keys(contenders).map((name) => ({
    name,
    child: fork(script('serve-server.ts'), [name]),
  }))
  try {
    const running = await Promise.all(
      servers.map(async ({ name, child }) => {
        const [{ port }] = (await once(child, 'message')) as [{ port: number }]
        return { name, child, port, rates: [] as number[], cpus: [] as number[] }
      }),
    )
    for (let round = -1; round < rounds; round++) {
      const shift = Math.abs(round) % running.length
      for (const server of [...running.slice(shift), ...running.slice(0, shift)]) {
        const before = await ask<{ cpu: NodeJS.CpuUsage }>(server.child, {})
        const { rate } = await ask<{ rate: number }>(client, { port: server.port, requests, connections })
        const after = await ask<{ cpu: NodeJS.CpuUsage }>(server.child, {})
        if (round < 0) continue
        server.rates.push(rate)
        const used = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
        server.cpus.push(used / requests)
      }
    }
    const base = median(running[0]?.rates ?? [])
    return running.map(({ name, rates, cpus }) => ({
      name: contenders[name as keyof typeof contenders],
      rate: median(rates),
      ratio: median(rates) / base,
      cpu: median(cpus),
    }))
  } finally {
    for (const { child } of servers) child.disconnect()
    client.disconnect()
  }
}

export function serveTable(served: readonly Served[]): string {
  return table(
    `HTTP servers at ${connections} connections`,
    ['', 'requests/s', 'beside Fastify', 'CPU per request'],
    served.map(({ name, rate, ratio, cpu }) => [
      name,
      Math.round(rate).toLocaleString('en'),
      `${ratio.toFixed(2)} ×`,
      `${cpu.toFixed(1)} µs`,
    ]),
  )
}
