import type { SecretRef, SecretStore, SecretValue } from './secret-store.ts'

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html */
const defaultPort = 2773

/** Milliseconds for which an extension that did not answer is not asked again. */
const pause = 60_000

/**
 * Reads through the AWS Parameters and Secrets Lambda Extension, a local HTTP server beside the function: no AWS client has
 * to be loaded. Whatever the extension does not give (it may not have started, the name may be missing or forbidden) the
 * store itself is asked for, and so is what is read anew, because the extension has a cache of its own.
 *
 * @param isOptional - Whether an extension that is not there is left alone for a while
 */
export function throughExtension(store: SecretStore, isOptional: boolean): SecretStore {
  let askAgainAt = 0

  async function ask(ref: SecretRef, signal: AbortSignal): Promise<SecretValue | undefined> {
    const token = process.env['AWS_SESSION_TOKEN']
    if (token === undefined || (isOptional && Date.now() < askAgainAt)) return undefined
    try {
      const reply = await getJson(pathOf(store, ref), token, signal)
      return reply === undefined ? undefined : valueOf(reply)
    } catch {
      askAgainAt = Date.now() + pause
      return undefined
    }
  }

  async function readAll(
    refs: readonly SecretRef[],
    options: Parameters<SecretStore['read']>[1],
    rest: SecretStore['read'],
  ): ReturnType<SecretStore['read']> {
    if (options.isRefresh) return rest(refs, options)
    const given = await Promise.all(refs.map((ref) => ask(ref, options.signal)))
    const open = refs.filter((_, index) => given[index] === undefined)
    const others = open.length === 0 ? [] : (await rest(open, options)).values()
    const next = others[Symbol.iterator]()
    return given.map((value) => value ?? (next.next().value as SecretValue | Error))
  }

  return {
    ...store,
    read: (batch, options) => readAll(batch, options, store.read.bind(store)),
    readDeclared: (refs, options) => readAll(refs, options, store.readDeclared.bind(store)),
  }
}

function pathOf({ scheme }: SecretStore, { key, name, version, stage }: SecretRef): string {
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
  readonly Parameter?: { readonly Value?: string }
  readonly SecretString?: string | null
  readonly SecretBinary?: string | null
}

function valueOf({ Parameter, SecretString, SecretBinary }: Reply): SecretValue | undefined {
  const text = Parameter?.Value ?? SecretString ?? undefined
  if (text !== undefined) return text
  return typeof SecretBinary === 'string' ? Buffer.from(SecretBinary, 'base64') : undefined
}

/** `undefined` for anything but a 200: the store itself says better what is wrong. */
async function getJson(path: string, token: string, signal: AbortSignal): Promise<Reply | undefined> {
  // Required and not imported: the module's ES facade takes 20 ms to load. `fetch` takes longer still.
  const http = process.getBuiltinModule('node:http')
  const port = Number(process.env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] ?? defaultPort)
  const headers = { 'X-Aws-Parameters-Secrets-Token': token }
  return new Promise((resolve, reject) => {
    http
      .get({ host: 'localhost', port, path, headers, signal, agent: false }, (response) => {
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
              resolve(JSON.parse(Buffer.concat(chunks).toString()) as Reply)
            } catch {
              resolve(undefined)
            }
          })
      })
      .on('error', reject)
  })
}
