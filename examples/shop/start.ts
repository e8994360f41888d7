import { parseArgs } from 'node:util'
import { openShop, shopSources, type OpenShop, type ShopSource } from './local/open-shop.ts'

const titles: Readonly<Record<ShopSource, string>> = {
  alb: 'ALB',
  'rest-api': 'REST API',
  'http-api': 'HTTP API',
}

/** In milliseconds. */
const nightLength = 60_000

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function row(source: string, what: string, status: string | number, milliseconds: number): void {
  say(
    `${source.padEnd(9)} ${what.padEnd(58)} ${String(status).padStart(3)} ${milliseconds.toFixed(1).padStart(8)} ms`,
  )
}

/** `--alb-port 8080`, or `SHOP_ALB_PORT=8080`; free ports otherwise. */
function readPorts(): Partial<Record<ShopSource, number>> {
  const { values } = parseArgs({
    options: {
      'alb-port': { type: 'string' },
      'rest-api-port': { type: 'string' },
      'http-api-port': { type: 'string' },
    },
  })
  const ports: Partial<Record<ShopSource, number>> = {}
  for (const source of shopSources) {
    const variable = `SHOP_${source.toUpperCase().replace('-', '_')}_PORT`
    const given = values[`${source}-port`] ?? process.env[variable]
    if (given === undefined) continue
    const port = Number(given)
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Error(`--${source}-port (or ${variable}) takes a port, not ${given}`)
    ports[source] = port
  }
  return ports
}

async function open(): Promise<OpenShop> {
  return openShop({
    ports: readPorts(),
    onInvocation: ({ source, method, path, status, milliseconds }) => {
      row(source, `${method} ${path}`, status, milliseconds)
    },
    onBatch: ({ messageIds, failed, milliseconds }) => {
      for (const id of messageIds) row('sqs', id, failed.includes(id) ? 'failed' : 'worked', milliseconds)
    },
  })
}

function explain(error: unknown): string {
  const { code, port } = refusal(error)
  if (code === 'EADDRINUSE') return `Port ${String(port)} is taken: choose another, or none for a free one`
  const variable = code === 'ECONNREFUSED' ? endpointVariable(port) : undefined
  if (variable !== undefined)
    return `Nothing listens at ${variable}=${String(process.env[variable])}: start that emulator, or unset the variable`
  return error instanceof Error ? error.message : String(error)
}

interface Refusal {
  readonly code?: unknown
  readonly port?: unknown
}

/** What the system says of a connection; a name with several addresses has one error for each. */
function refusal(error: unknown): Refusal {
  const { errors } = error as { errors?: unknown }
  return (Array.isArray(errors) ? (errors[0] as unknown) : error) as Refusal
}

/** The variable that names an endpoint with this port. */
function endpointVariable(port: unknown): string | undefined {
  return Object.keys(process.env).find((name) => {
    const url = process.env[name] ?? ''
    return name.startsWith('AWS_ENDPOINT_URL') && URL.canParse(url) && new URL(url).port === String(port)
  })
}

try {
  const shop = await open()
  for (const line of shop.engines.told) say(line)
  say('')
  for (const source of shopSources) {
    say(
      `${titles[source].padEnd(9)} curl -s '${shop.gateways[source].url}/products?author=Ursula+K.+Le+Guin'`,
    )
  }
  say(
    `${'Order'.padEnd(9)} curl -s -d '{"author":"Octavia E. Butler","title":"Kindred"}' ${shop.gateways['http-api'].url}/orders`,
  )
  say(`${'Page'.padEnd(9)} ${shop.gateways['http-api'].url}/`)
  say(
    `${'News'.padEnd(9)} ${shop.live.url}, a WebSocket: orders that are worked, the catalogue, the report of the night`,
  )
  say(
    `${'Export'.padEnd(9)} curl -sN '${shop.streams.url}/export?author=Ursula+K.+Le+Guin', a line of JSON each`,
  )
  say(`${'Live'.padEnd(9)} curl -sN ${shop.streams.url}/live, orders as they are placed`)
  const nights = setInterval(() => void shop.night(), nightLength)
  say(`${'Nights'.padEnd(9)} one every minute, for want of a schedule`)
  let closing = false
  const close = (): void => {
    if (closing) process.exit(130)
    closing = true
    clearInterval(nights)
    say('\nClosing; requests that are under way are finished first.')
    void shop.close().then(() => {
      process.exit(0)
    })
  }
  process.on('SIGINT', close)
  process.on('SIGTERM', close)
  say('\nThe shop is open. Ctrl-C closes it.\n')
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}
