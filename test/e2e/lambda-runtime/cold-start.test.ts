import { httpApiEvent } from 'clearskies-middy/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Bundles } from './bundles.ts'
import { LambdaFunction } from './lambda-function.ts'
import { type ShopEngines, startShopEngines } from './shop-engines.ts'

const bundles = new Bundles()
let shop: ShopEngines
beforeAll(async () => {
  shop = await startShopEngines()
})
afterAll(async () => {
  bundles[Symbol.dispose]()
  await shop.stop()
})

const rounds = 7

const functions = {
  'no library': { entry: 'cold-start/bare.ts', handler: 'handler.handler' },
  'httpApi() alone': { entry: 'cold-start/normalizer.ts', handler: 'handler.handler' },
  'the shop': { entry: '../../../examples/shop/app.ts', handler: 'handler.httpApiHandler' },
}

const kinds = {
  ESM: { format: 'esm' },
  'ESM, chunks': { format: 'esm', splitting: true },
  CJS: { format: 'cjs' },
} as const

/** Milliseconds: from the start of the process until it asks for an event, and from the event to the response. */
interface ColdStart {
  readonly init: number
  readonly first: number
}

const event = httpApiEvent({ path: '/products?author=nobody' })

async function coldStart(root: string, handler: string): Promise<ColdStart> {
  await using lambda = await LambdaFunction.start({ root, handler, env: shop.env })
  await lambda.ready
  const ready = performance.now()
  expect(await lambda.call(event)).toMatchObject({ statusCode: 200 })
  return { init: ready - lambda.startedAt, first: performance.now() - ready }
}

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN).toFixed(0)
}

it(
  'a function of each kind starts and answers; how long it takes is told',
  { timeout: 240_000 },
  async () => {
    const contenders: { name: string; kind: string; root: string; handler: string; times: ColdStart[] }[] = []
    for (const [name, { entry, handler }] of Object.entries(functions)) {
      for (const [kind, { format, ...options }] of Object.entries(kinds)) {
        const root = await bundles.make(`test/e2e/lambda-runtime/${entry}`, format, options)
        contenders.push({ name, kind, root, handler, times: [] })
      }
    }
    // Round by round and not contender by contender, so that what else the machine does meets all of them.
    for (let round = 0; round < rounds; round++)
      for (const { root, handler, times } of contenders) times.push(await coldStart(root, handler))

    const row = (...cells: readonly string[]): string =>
      cells.map((cell, index) => (index < 2 ? cell.padEnd(17) : cell.padStart(10))).join('')
    const rows = contenders.map(({ name, kind, times }) =>
      row(name, kind, median(times.map(({ init }) => init)), median(times.map(({ first }) => first))),
    )
    const head = row('', 'bundle', 'init', 'first')
    console.log(['Cold starts, ms, medians', head, ...rows].join('\n'))
  },
)
