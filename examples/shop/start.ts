import { parseArgs } from 'node:util'
import { SetUpError, explain } from './local/endpoints.ts'
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

const help = `Opens the shop behind every source, on embedded engines; Ctrl-C closes it.

Usage: npm start -- [options]

  --alb-port N, --rest-api-port N, --http-api-port N   the port of a gateway (default: a free one)
  --help                                               this text

Environment: SHOP_ALB_PORT and so on for ports; AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_DYNAMODB, _SQS, _SSM, _EVENTBRIDGE,
and db_endpoint, for what is used in place of an embedded engine.`

/** `--alb-port 8080`, or `SHOP_ALB_PORT=8080`; free ports otherwise. `undefined` where help is asked for. */
function readPorts(): Partial<Record<ShopSource, number>> | undefined {
  const { values } = readOptions()
  if (values.help === true) return undefined
  const ports: Partial<Record<ShopSource, number>> = {}
  for (const source of shopSources) {
    const variable = `SHOP_${source.toUpperCase().replace('-', '_')}_PORT`
    const given = values[`${source}-port`] ?? (process.env[variable] || undefined)
    if (given === undefined) continue
    const port = Number(given)
    if (given.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535)
      throw new SetUpError(`--${source}-port (or ${variable}) takes a port, not ${given}`)
    ports[source] = port
  }
  return ports
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        'alb-port': { type: 'string' },
        'rest-api-port': { type: 'string' },
        'http-api-port': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new SetUpError(`${explain(error).split('. ')[0] ?? ''}: see npm start -- --help`)
  }
}

async function open(ports: Partial<Record<ShopSource, number>>): Promise<OpenShop> {
  return openShop({
    ports,
    onInvocation: ({ source, method, path, status, milliseconds }) => {
      row(source, `${method} ${path}`, status, milliseconds)
    },
    onBatch: ({ messageIds, failed, milliseconds }) => {
      for (const id of messageIds) row('sqs', id, failed.includes(id) ? 'failed' : 'worked', milliseconds)
    },
  })
}

async function start(): Promise<void> {
  const ports = readPorts()
  if (ports === undefined) {
    say(help)
    return
  }
  const shop = await open(ports)
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
}

try {
  await start()
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}
