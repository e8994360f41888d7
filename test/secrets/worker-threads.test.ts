// On Lambda Managed Instances several threads of a process take invocations, and each thread has modules of its own.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { useSecretStores } from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()
const [parameters] = stores as [(typeof stores)[0]]

/** Ten invocations beside each other, then one after a write in another thread, then one after a refresh. */
const script = `
  import middy from '@middy/core'
  import { parentPort, workerData } from 'node:worker_threads'
  import { once } from 'node:events'
  import { environment } from 'clearskies-middy/middleware/environment'
  import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
  const handler = middy()
    .use(parameterStore({ fetch: { key: '/key' }, prefetch: false }))
    .use(environment({ file: false, overrides: { A: 'secret://key' }, names: ['A'] }))
    .handler(async (event, { secrets, environment }) => {
      if (event.write) await secrets.update('/key', event.write)
      const got = event.refresh ? await secrets.refresh('/key') : await secrets.get('/key')
      return [secrets.values.key, environment.values.A, got].join()
    })
  const together = () => Promise.all(Array.from({ length: 10 }, () => handler({}, {})))
  parentPort.on('message', async (event) => {
    parentPort.postMessage(event === 'together' ? [...new Set(await together())] : await handler(event, {}))
  })`

it('X1, X6: caches run in two worker threads, each with values of its own', async () => {
  parameters.put('/key', 'old')
  const env = { ...process.env, AWS_ENDPOINT_URL: aws.server.url, AWS_REGION: 'eu-central-1' }
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
  const workers = Array.from(
    { length: 2 },
    () =>
      new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolved(script))}`), {
        env: { ...env, ...keys },
        execArgv: ['--conditions=clearskies-middy-source'],
      }),
  )
  const [first, second] = workers as [Worker, Worker]
  const ask = async (worker: Worker, event: unknown): Promise<unknown> => {
    const answer = once(worker, 'message')
    worker.postMessage(event)
    return ((await answer) as unknown[])[0]
  }
  try {
    const threads = await Promise.all([ask(first, 'together'), ask(second, 'together')])
    expect(threads).toEqual([['old,old,old'], ['old,old,old']])
    expect(aws.server.calls, 'one call for each thread').toHaveLength(2)
    expect(await ask(first, { write: 'new' })).toBe('old,old,new')
    expect(await ask(first, {})).toBe('new,new,new')
    expect(await ask(second, {}), 'the other thread holds its own value').toBe('old,old,old')
    expect(await ask(second, { refresh: true })).toBe('old,old,new')
    expect(await ask(second, {})).toBe('new,new,new')
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
})

/** A module in a URL has no place to look for packages from. */
function resolved(source: string): string {
  return source.replace(/from '([^']+)'/g, (_, name: string) => `from '${import.meta.resolve(name)}'`)
}
