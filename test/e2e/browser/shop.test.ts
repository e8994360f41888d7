import { mkdirSync } from 'node:fs'
import { type Browser, type Page, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type OpenShop,
  type ShopSource,
  openShop,
  shopSources,
} from '../../../examples/shop/local/open-shop.ts'

const executablePath = process.env['CHROMIUM']
const artefacts = '.artefacts'

describe.skipIf(executablePath === undefined)('the shop in a browser', () => {
  let shop: OpenShop
  let browser: Browser
  beforeAll(async () => {
    mkdirSync(artefacts, { recursive: true })
    shop = await openShop()
    browser = await chromium.launch({
      executablePath: executablePath as string,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await shop.close()
  })

  /** A page, and what went wrong in it. */
  async function open(source: ShopSource): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('requestfailed', (request) => {
      // A page that is left breaks off its stream.
      if (request.resourceType() !== 'eventsource') faults.push(request.url())
    })
    page.on('response', (response) => {
      if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`)
    })
    await page.goto(`${shop.gateways[source].url}/?author=Stanis%C5%82aw+Lem`)
    return { page, faults }
  }

  /** The worker needs a moment: the page shows its state when it is loaded anew. */
  async function untilWorked(page: Page, title: string): Promise<void> {
    const state = page.locator('#orders tr', { hasText: title }).first().locator('.state')
    for (let tries = 0; tries < 200; tries++) {
      if ((await state.textContent()) === 'worked') return
      await page.reload()
    }
    throw new Error(`The order of ${title} was never worked`)
  }

  it.each(shopSources)('%s: a book is added, ordered, and the worker finishes the order', async (source) => {
    const { page, faults } = await open(source)
    const title = `Solaris <${source}> & "more" ż`
    await page.getByLabel('Title').fill(title)
    await page.getByLabel('Price').fill('8.50')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page
      .getByRole('status')
      .filter({ hasText: `"${title}" is in the shop now` })
      .waitFor()
    expect(await page.locator('#products td').first().textContent()).toBe(title)

    await page.getByRole('button', { name: `Order ${title}` }).click()
    await page
      .getByRole('status')
      .filter({ hasText: `"${title}" is ordered` })
      .waitFor()
    await untilWorked(page, title)
    await page.reload()
    // The message was shown once.
    expect(await page.getByRole('status').count()).toBe(0)
    await page.screenshot({ path: `${artefacts}/shop-${source}.png` })
    expect(faults).toEqual([])
    await page.request.delete(
      `${shop.gateways[source].url}/products/${encodeURIComponent('Stanisław Lem')}/${encodeURIComponent(title)}`,
    )
    await page.close()
  })

  it('X27: on a phone nothing is wider than the screen; each author is one touch away; a duplicate is a message', async () => {
    const page = await browser.newPage({
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    })
    await page.goto(shop.gateways['http-api'].url)
    const author = page.locator('#authors').getByRole('link', { name: 'Octavia E. Butler' })
    // The catalogue follows the table a moment later.
    while ((await author.count()) === 0) await page.reload()
    await author.tap()
    await page.getByRole('button', { name: 'Order Kindred' }).tap()
    await page.getByRole('status').filter({ hasText: '"Kindred" is ordered' }).waitFor()
    await page.getByLabel('Title').fill('Kindred')
    await page.getByLabel('Price').fill('1')
    await page.getByRole('button', { name: 'Add', exact: true }).tap()
    await page.getByRole('status').filter({ hasText: '"Kindred" is in the shop already' }).waitFor()
    expect(await page.getByRole('heading', { name: 'Books by Octavia E. Butler' }).count()).toBe(1)
    const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect(wide).toBeLessThanOrEqual(0)
    for (const button of await page.getByRole('button').all())
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44)
    await page.screenshot({ path: `${artefacts}/shop-phone.png`, fullPage: true })
    await page.close()
  })

  it('news come by WebSocket, without a reload: an order that is worked, the catalogue, the report of the night', async () => {
    const { page, faults } = await open('http-api')
    await page.locator('#live[data-state=open]').waitFor({ state: 'attached' })
    let reloads = 0
    page.on('framenavigated', () => reloads++)
    const { url } = shop.gateways['http-api']
    const book = { author: 'Stanisław Lem', title: 'Fiasco <b>', price: 9 }
    await page.request.post(`${url}/products`, { data: book })
    await page.locator('#catalogue', { hasText: /^\d+ books in the catalogue$/ }).waitFor()
    const placed = await page.request.post(`${url}/orders`, { data: book })
    const { id } = (await placed.json()) as { id: string }
    await page.locator(`#orders tr[data-order="${id}"] .state`, { hasText: 'worked' }).waitFor()
    expect(await page.locator(`#orders tr[data-order="${id}"] td`).first().textContent()).toBe(book.title)
    await shop.night()
    await page.locator('#night', { hasText: /^Last night: \d+ orders wait, \d+ are worked$/ }).waitFor()
    expect([reloads, faults]).toEqual([0, []])
    await page.close()
  })

  it('an order that somebody else places comes by EventSource, without a reload', async () => {
    const { page, faults } = await open('http-api')
    await page.locator('#live[data-orders=open]').waitFor({ state: 'attached' })
    let reloads = 0
    page.on('framenavigated', () => reloads++)
    const { url } = shop.gateways['http-api']
    const book = { author: 'Stanisław Lem', title: 'Eden & "ż"', price: 9 }
    await page.request.post(`${url}/products`, { data: book })
    const placed = await page.request.post(`${url}/orders`, { data: book })
    const { id } = (await placed.json()) as { id: string }
    await page.locator('#placed', { hasText: `Just ordered: ${book.title}` }).waitFor()
    expect(await page.locator(`#orders tr[data-order="${id}"]`).count()).toBe(1)
    expect([reloads, faults]).toEqual([0, []])
    await page.close()
  })

  it('the export of an author streams from the function URL, a line of JSON each', async () => {
    const response = await fetch(`${shop.streams.url}/export?author=Ursula+K.+Le+Guin`)
    const lines = (await response.text()).trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { title: string }).title)).toEqual([
      'A Wizard of Earthsea',
      'The Dispossessed',
      'The Left Hand of Darkness',
    ])
  })

  it.each(shopSources)('%s: the picture comes as bytes, and may be kept', async (source) => {
    const { page } = await open(source)
    const width = await page
      .locator('h1 img')
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth)
    expect(width).toBe(16)
    const response = await page.request.get(`${shop.gateways[source].url}/logo.png`)
    expect(response.headers()).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'public, max-age=31536000, immutable',
    })
    const shown = await page.request.get(shop.gateways[source].url)
    expect(shown.headers()).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    })
    await page.close()
  })
})
