// People look for tasks: each is found from the README in at most two clicks, and each error has an entry that says what to do.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MemoryBackend, model } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const read = (file: string): string => readFileSync(file, 'utf8')

/** The links of a page that lead to other pages, with the text of their lines: what a reader sees beside them. */
function linksOf(page: string): { readonly target: string; readonly line: string }[] {
  return read(page)
    .replace(/^```[^]*?^```$/gm, '')
    .split('\n')
    .flatMap((line) =>
      [...line.matchAll(/\]\(((?!https?:)[^)#\s]+\.md)(#[^)\s]*)?\)/g)].map(([, file = '', anchor = '']) => ({
        target: join(dirname(page), file) + anchor,
        line: line.toLowerCase(),
      })),
    )
}

const first = linksOf('README.md')
const inTwoClicks = [
  ...first,
  ...[...new Set(first.map(({ target }) => target.replace(/#.*/, '')))].flatMap(linksOf),
]

describe('tasks', () => {
  it.each([
    ['begin', 'docs/getting-started.md'],
    ['sam', 'docs/getting-started.md#sam'],
    ['cdk', 'docs/getting-started.md#cdk'],
    ['serverless framework', 'docs/getting-started.md#serverless-framework'],
    ['sst', 'docs/getting-started.md#sst'],
    ['shell', 'docs/command-line.md'],
    ['upgrade', 'docs/upgrade.md'],
    ['route', 'docs/routing.md'],
    ['cors', 'docs/cors.md'],
    ['security headers', 'docs/cors.md'],
    ['authentication', 'docs/authentication.md'],
    ['jose', 'docs/authentication.md#by-the-function-with-jose'],
    ['uploads', 'docs/forms-and-uploads.md'],
    ['validate', 'docs/validate.md'],
    ['error', 'docs/errors.md'],
    ['queue', 'docs/sqs.md'],
    ['topic', 'docs/sns.md'],
    ['rotation', 'docs/secrets.md'],
    ['postgresql', 'docs/sql.md'],
    ['dynamodb', 'docs/dynamodb.md'],
    ['existing table', 'docs/faq.md#how-do-i-use-an-existing-table'],
    ['vitest', 'docs/test-runners.md'],
    ['log', 'docs/observability.md'],
    ['metrics', 'docs/observability.md#metrics'],
    ['opentelemetry', 'docs/observability.md#traces'],
    ['start faster', 'docs/cold-start.md'],
    ['without the aws sdk', 'docs/light-client.md'],
    ['managed instances', 'docs/concurrency.md'],
    ['what an error means', 'docs/troubleshooting.md'],
  ])('%s: %s is in two clicks of the README', (word, page) => {
    const lines = inTwoClicks.filter(({ target }) => target === page).map(({ line }) => line)
    expect(lines.filter((line) => line.includes(word))).not.toEqual([])
  })
})

it('the README is read in one go: at most 200 lines, and its two commands stand in front', () => {
  const lines = read('README.md').trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(200)
  expect(lines.slice(0, 12).join('\n')).toMatch(/npm ci && npm start[^]*npm ci && npm test/)
})

describe('troubleshooting', () => {
  const errors = globSync('src/errors/*.ts').flatMap((file) =>
    [...read(file).matchAll(/^export class (\w+)/gm)].map(([, name = '']) => name),
  )
  const entries = new Map(
    [...read('docs/troubleshooting.md').matchAll(/^### `(\w+)`.*\n\n([^]*?)(?=\n#|\n*$(?![^]))/gm)].map(
      ([, name = '', text = '']) => [name, text],
    ),
  )

  it.each(errors)('%s has an entry that says what to do', (name) => {
    expect(entries.get(name) ?? '').toMatch(/^[A-Z].{20,}/)
  })

  it('no entry is of an error that there is not', () => {
    expect([...entries.keys()].filter((name) => name !== 'TypeError' && !errors.includes(name))).toEqual([])
  })
})

it('a page token of 0.1 is read, as the page of the upgrade says, or refused with a 400', async () => {
  const Page = model({
    name: 'p',
    key: ['a', 't'],
    schema: z.object({
      a: z.string(),
      t: z.string(),
      g: z.string().optional(),
      n: z.number().nullable().optional(),
      d: z.date().optional(),
    }),
    indexes: { byG: { partition: 'g', sort: 't' } },
  })
  const pages = new MemoryBackend(Page)
  for (const t of ['0', '1', '2', '3']) await pages.create({ a: 'pg', t })
  const token = 'WzAsWyJwZyIsIjEiXV0.vU40QZannYv8oSX1WM6V9Q' // Made by 0.1.
  const query = pages.where('a', '=', 'pg').limit(2)
  expect((await query.after(token).page()).items.map(({ t }) => t)).toEqual(['2', '3'])
  await expect(query.where('t', '>', '0').after(token).page()).rejects.toMatchObject({ statusCode: 400 })
  expect(read('docs/upgrade.md')).toContain('## Page tokens')
})
