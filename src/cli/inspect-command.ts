import { print } from './terminal.ts'
import { eventKind } from '../events/event-kind.ts'
import { type EventSource, eventSources } from '../events/event-sources.ts'
import { asRecord } from '../core/record.ts'
import { lambdaContext } from '../testing/index.ts'
import type { CliCommand } from './command.ts'
import { normalizers } from './normalizers.ts'
import { readJson } from './read-json.ts'

export const inspectCommand: CliCommand = {
  name: 'inspect',
  usage: '[FILE | -]',
  summary: 'Tells which source an event is of, and shows the normalized request',
  options: {},
  positionals: [0, 1],
  async run({ positionals: [file = '-'] }) {
    const event = await readJson(file)
    const kind = eventKind(event)
    const source = new Map<string, EventSource>(Object.entries(eventSources)).get(kind)
    const normalizer = source?.normalizer ?? 'invocation'
    const request = await normalized(event, normalizer)
    print(JSON.stringify({ source: source?.name ?? kind, normalizer: `${normalizer}()`, request }, null, 2))
    return 0
  },
}

/** What a handler behind the normalizer gets. */
async function normalized(event: unknown, name: string): Promise<unknown> {
  const request = { event, context: lambdaContext(), internal: {}, response: undefined, error: undefined }
  // Middy's request, as far as a normalizer reads it; each declares its own event.
  await normalizers[name]?.().before?.(request as never)
  const made = asRecord(request.event) ?? {}
  const { requests } = made
  return Array.isArray(requests) ? requests.map(shown) : shown(made)
}

/** All members but those that repeat the event. What cannot be read says why. */
function shown(request: unknown): Record<string, unknown> {
  const members: Record<string, unknown> = {}
  for (
    let level: object | null = Object(request) as object;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  )
    for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name in members || hidden.has(name) || typeof value === 'function') continue
      members[name] = get === undefined ? value : readSafelyForPrint(() => get.call(request) as unknown)
    }
  return members
}

const hidden = new Set([
  ...[
    'constructor',
    'raw',
    'record',
    'lambdaContext',
    'signal',
    'body',
    'isBase64Encoded',
    'httpMethod',
    'version',
  ],
  ...['requestContext', 'queryStringParameters', 'multiValueQueryStringParameters', 'multiValueHeaders'],
])

function readSafelyForPrint(read: () => unknown): unknown {
  try {
    const value = read()
    if (value instanceof URLSearchParams) return [...value]
    if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') }
    return typeof value === 'bigint' ? String(value) : value
  } catch (error) {
    return { error: String(error) }
  }
}
