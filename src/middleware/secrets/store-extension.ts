import { elapsedSince } from '../../core/elapsed.ts'
import { bypassExtension, isPastExtension } from './extension-bypass.ts'
import type { Outcomes, ReadOptions, SecretRef, SecretStore, SecretValue } from './store.ts'

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html */
const defaultPort = 2773

/** Milliseconds for which an extension that did not answer is not asked again. */
const outagePause = 60_000

/**
 * Reads through the AWS Parameters and Secrets Lambda Extension, a local HTTP server beside the function: no AWS client has
 * to be loaded. Whatever the extension does not give within half of the time (it may not have started, the name may be
 * missing or forbidden) the store itself is asked for. So is what is read anew or was written, because the extension has a
 * cache of its own.
 *
 * @param isOptional - Whether an extension that is not there is left alone for a while
 */
export function throughExtension(store: SecretStore, isOptional: boolean): SecretStore {
  let failedAt = -Infinity

  async function ask(ref: SecretRef, signal: AbortSignal): Promise<SecretValue | undefined> {
    const token = process.env['AWS_SESSION_TOKEN']
    if (token === undefined || (isOptional && elapsedSince(failedAt) < outagePause)) return undefined
    if (ref.isPath || isPastExtension(ref.name)) return undefined
    try {
      const reply = await getJson(extensionPath(store, ref), token, signal)
      return reply === undefined ? undefined : extensionValue(reply)
    } catch {
      failedAt = Date.now()
      return undefined
    }
  }

  async function readAll(
    refs: readonly SecretRef[],
    options: ReadOptions,
    rest: SecretStore['read'],
  ): Promise<Outcomes> {
    if (options.isRefresh) {
      for (const { name } of refs) bypassExtension(name, false)
      return rest(refs, options)
    }
    const limit = halfOf(options)
    const given = refs.map((ref) => ask(ref, limit.signal))
    const others = Promise.all(given).then(async (values) => {
      limit.clear()
      const open = refs.filter((_, index) => values[index] === undefined)
      const outcomes = open.length === 0 ? [] : await rest(open, options)
      return new Map(open.map((ref, index) => [ref, outcomes[index] as Outcomes[number]]))
    })
    return refs.map(
      async (ref, index) => (await given[index]) ?? ((await others).get(ref) as Outcomes[number]),
    )
  }

  return {
    ...store,
    read: (batch, options) => readAll(batch, options, store.read.bind(store)),
    readDeclared: (refs, options) => readAll(refs, options, store.readDeclared.bind(store)),
  }
}

/** Half of the time of a reading. */
function halfOf({ milliseconds, signal }: ReadOptions): { signal: AbortSignal; clear: () => void } {
  const abort = new AbortController()
  const timer = setTimeout(() => {
    abort.abort()
  }, milliseconds / 2)
  return {
    signal: AbortSignal.any([abort.signal, signal]),
    clear: () => {
      clearTimeout(timer)
    },
  }
}

function extensionPath({ scheme }: SecretStore, { key, name, version, stage }: SecretRef): string {
  if (scheme === 'secretsmanager') {
    const query = new URLSearchParams({ secretId: name })
    if (version !== undefined) query.set('versionId', String(version))
    if (stage !== undefined) query.set('versionStage', stage)
    return `/secretsmanager/get?${query.toString()}`
  }
  const query = new URLSearchParams({ name, withDecryption: 'true' })
  const selector = key.slice(name.length + 1)
  if (selector !== '') query.set(/^\d+$/.test(selector) ? 'version' : 'label', selector)
  return `/systemsmanager/parameters/get?${query.toString()}`
}

interface Reply {
  readonly Parameter?: { readonly Value?: unknown } | null
  readonly SecretString?: unknown
  readonly SecretBinary?: unknown
}

function extensionValue(reply: Reply | null): SecretValue | undefined {
  const { Parameter, SecretString, SecretBinary } = reply ?? {}
  const text = Parameter?.Value ?? SecretString
  if (typeof text === 'string') return text
  return typeof SecretBinary === 'string' ? Buffer.from(SecretBinary, 'base64') : undefined
}

/** `undefined` for anything but a 200: the store itself says better what is wrong. */
async function getJson(path: string, token: string, signal: AbortSignal): Promise<Reply | null | undefined> {
  try {
    return await getJsonFrom('127.0.0.1', path, token, signal)
  } catch (error) {
    // Only then by its name, which could mean IPv6: to look a name up takes 5 ms in a process that has not yet done so.
    if ((error as { code?: unknown }).code !== 'ECONNREFUSED') throw error
    return getJsonFrom('localhost', path, token, signal)
  }
}

async function getJsonFrom(
  host: string,
  path: string,
  token: string,
  signal: AbortSignal,
): Promise<Reply | null | undefined> {
  // Required and not imported: the module's ES facade takes 20 ms to load. `fetch` takes longer still.
  const http = process.getBuiltinModule('node:http')
  const port = Number(process.env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] ?? defaultPort)
  const headers = { 'X-Aws-Parameters-Secrets-Token': token }
  return new Promise((resolve, reject) => {
    http
      .get({ host, port, path, headers, signal, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('error', reject)
          .on('end', () => {
            if (response.statusCode !== 200) {
              resolve(undefined)
              return
            }
            try {
              resolve(JSON.parse(Buffer.concat(chunks).toString()) as Reply | null)
            } catch {
              resolve(undefined)
            }
          })
      })
      .on('error', reject)
  })
}
