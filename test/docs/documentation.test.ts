import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { entries } from '../support/entries.ts'

const pages = globSync(['*.md', '{docs,contributing}/**/*.md'])
const read = (file: string): string => readFileSync(file, 'utf8')

/** The text alone: without code, which may look like links. */
function prose(file: string): string {
  return read(file)
    .replace(/^```[^]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, '``')
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of read(file)
    .replace(/^```[^]*?^```$/gm, '')
    .matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const taken = [...anchors].filter((anchor) => anchor.replace(/-\d+$/, '') === slug).length
    anchors.add(taken === 0 ? slug : `${slug}-${taken}`)
  }
  return anchors
}

/** Where the links of a page lead, also those by reference. */
function targetsOf(file: string): string[] {
  const inline = [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)]
  const defined = [...prose(file).matchAll(/^\[[^\]]+\]: +(\S+)/gm)]
  return [...inline, ...defined].map(([, target = '']) => target)
}

/** What is wrong with a link that leads to a file here; nothing with one that leads elsewhere. */
function fault(page: string, target: string): string | undefined {
  if (/^https:\/\//.test(target)) return undefined
  if (/^[a-z]+:/.test(target)) return `${target} is not an address of HTTPS`
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  if (!existsSync(file)) return `${target}: there is no ${file}`
  return anchor !== undefined && !anchorsOf(file).has(anchor)
    ? `${target}: ${file} has no such heading`
    : undefined
}

describe.each(pages)('%s', (page) => {
  it('links to what is there', () => {
    expect(targetsOf(page).flatMap((target) => fault(page, target) ?? [])).toEqual([])
  })

  it('defines the references that it uses, and uses those that it defines', () => {
    const defined = [...prose(page).matchAll(/^\[([^\]]+)\]:/gm)].map(([, name]) => name)
    const used = [...prose(page).matchAll(/\]\[([^\]]+)\]/g)].map(([, name]) => name)
    expect([...new Set(used)].sort()).toEqual([...new Set(defined)].sort())
  })

  it('has JSON that is JSON', () => {
    for (const [, json = ''] of read(page).matchAll(/^```json\n([^]*?)^```$/gm))
      expect(() => JSON.parse(json) as unknown).not.toThrow()
  })
})

/** The members of every interface in the sources, by the interface's name. */
function readInterfaces(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const file of globSync('src/**/*.ts')) {
    const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest)
    for (const node of source.statements) {
      if (!ts.isInterfaceDeclaration(node)) continue
      const members = node.members.flatMap(({ name }) => (name && ts.isIdentifier(name) ? [name.text] : []))
      found.set(node.name.text, members)
    }
  }
  return found
}

const httpOptions = [
  'HttpNormalizerOptions',
  'HttpRequestOptions',
  'HttpResponseOptions',
  'ErrorOptions',
  'RequestHookOptions',
]
const secretOptions = ['SecretsOptions', 'SecretCacheOptions', 'GetSecretOptions', 'SecretVersion']

describe('the documentation', () => {
  const interfaces = readInterfaces()
  const all = pages.map(read).join('\n')

  it.each([
    ...['http', 'alb', 'rest-api', 'http-api', 'vpc-lattice', 'any-http'].map(
      (page) => [page, httpOptions] as const,
    ),
    ...['rest-api', 'http-api', 'any-http'].map((page) => [page, ['StreamingOptions']] as const),
    ['serve', ['ServeOptions', ...httpOptions]],
    ['streaming', ['EventStreamOptions', 'ResponseOptions', 'ServerSentEvent', 'StreamingOptions']],
    ['sqs', ['SqsOptions', 'SqsBatchOptions', 'EachRecordOptions']],
    ['sns', ['SnsOptions']],
    ['kinesis', ['KinesisOptions']],
    ['dynamodb-stream', ['DynamoDbStreamOptions']],
    ['kafka', ['KafkaOptions']],
    ['s3', ['S3Options']],
    ['firehose', ['FirehoseOptions']],
    ['logs', ['LogsOptions']],
    ['secrets', [...secretOptions, 'SecretForm', 'WriteSecretOptions', 'DeleteSecretOptions']],
    ['environment', ['EnvironmentOptions']],
    ['iam-db-auth', ['IamDbAuthOptions', 'DatabaseOverrides', 'ConnectionDetails']],
    ['ssm-bastion', ['SsmBastionOptions']],
    ['json-body', ['JsonBodyOptions']],
    ['validate', ['ValidateSchemas']],
    ['models-and-queries', ['ModelDefinition', 'Index', 'WriteConditions', 'UpdateOptions', 'DeleteOptions']],
    ['dynamodb', ['DynamoDbOptions', 'TableOptions', 'Changes']],
    ['sql', ['SqlBackendOptions']],
    ['sqs-backend', ['SqsBackendOptions']],
    ['memory', ['MemoryOptions', 'TableOptions']],
    ['web-socket', ['WebSocketOptions', 'ConnectionsBackendOptions', 'Connection', 'Broadcast']],
    ['step-functions', ['TaskTokenOptions']],
    [
      'testing',
      [
        'GatewayOptions',
        'PollOptions',
        'DescribedRequest',
        'RestApiEventOptions',
        'DescribedMessage',
        'WebSocketGatewayOptions',
      ],
    ],
  ] as const)('has every option of %s', (page, names) => {
    const words = new Set(
      [...read(`docs/${page}.md`).matchAll(/`[^`\n]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? []),
    )
    const options = names.flatMap((name) => {
      const members = interfaces.get(name)
      if (members === undefined) throw new Error(`There is no interface ${name} any more`)
      return members
    })
    expect(options.filter((option) => !words.has(option))).toEqual([])
  })

  it('has every error', () => {
    const errors = [
      ...globSync('src/errors/*.ts')
        .map(read)
        .join('\n')
        .matchAll(/^export class (\w+)/gm),
    ].map(([, name = '']) => name)
    expect(errors.length).toBeGreaterThan(40)
    expect(errors.filter((error) => !all.includes(`\`${error}\``))).toEqual([])
  })

  it('E91: has every name that `ErrorEquals` can have, and no other', () => {
    const section = /^## Names for `ErrorEquals`\n([^]*?)^## /m.exec(read('docs/step-functions.md'))?.[1]
    const listed = section?.split('\n\n').filter((paragraph) => /^(?:`\w+`[,.]\s*)+$/.test(paragraph))
    const named = listed?.join(' ').match(/\w+/g) ?? []
    const names = [
      ...globSync('src/errors/*.ts')
        .map(read)
        .join('\n')
        .matchAll(/^ +override name = '(\w+)'/gm),
    ].map(([, name]) => name)
    expect(named.toSorted()).toEqual(names.toSorted())
  })

  // What people miss most, after the findings about other libraries.
  it.each([
    ['from-clearskies-aws', ['delete_many', 'json_path', 'list_secrets', 'list_by_path', 'two databases']],
    ['from-powertools-and-middy', ['AppConfigProvider', 'DynamoDBProvider']],
    ['faq', ['AppConfig', 'RDS Data API']],
  ])('X28: %s tells what has another form here, or none', (page, names) => {
    const text = read(`docs/${page}.md`)
    expect(names.filter((name) => !text.includes(name))).toEqual([])
  })

  it('has an index of all pages', () => {
    const index = new Set(targetsOf('docs/README.md').map((target) => join('docs', target)))
    expect(
      globSync('docs/*.md').filter((page) => page !== join('docs', 'README.md') && !index.has(page)),
    ).toEqual([])
  })

  it('repeats the numbers of the README', () => {
    // The table of cold starts alone: cold-start.md has others beside it.
    const tableOf = (file: string): string => /^\|[^\n]*cold start ESM[^]*?\n\n/m.exec(read(file))?.[0] ?? ''
    const rows = (file: string): Map<string, string> =>
      new Map(
        [...tableOf(file).matchAll(/^\| ([^|]+?) +\|(?:.*\|)? ([\d.]+ ms) +\| ([\d.]+ ms) +\|$/gm)].map(
          ([, name = '', esm, cjs]) => [name, `${esm} ${cjs}`],
        ),
      )
    expect(rows('docs/cold-start.md').size).toBeGreaterThan(5)
    expect(rows('docs/cold-start.md')).toEqual(rows('README.md'))
  })

  it('is made of all entries of the package', () => {
    const { entryPoints } = JSON.parse(read('typedoc.json')) as { entryPoints: string[] }
    expect(globSync(entryPoints).toSorted()).toEqual(entries.map(([, source]) => source).toSorted())
  })
})
