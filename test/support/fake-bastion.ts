import { SSMClient } from '@aws-sdk/client-ssm'
import { type SsmBastionOptions, ssmBastion } from 'clearskies-middy/middleware/ssm-bastion'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, vi } from 'vitest'
import { AwsError, type Fields } from '../../examples/shop/local/aws-stand-in.ts'
import { useAwsStandIn } from './engines.ts'

/** What a plugin has told of itself, and the end of it. */
export interface PluginReport {
  readonly pid: number
  readonly argv: readonly string[]
  readonly region: string
  readonly profile: string
  readonly endpoint: string
  readonly session: { readonly SessionId: string; readonly TokenValue: string }
  /** Resolves when the plugin has ended. */
  readonly end: Promise<unknown>
}

export const token = 'session-token-MARKER'

/** Systems Manager and the plugin, for the tests of a file. */
export function useBastion() {
  const aws = useAwsStandIn()
  const directory = mkdtempSync(join(tmpdir(), 'bastion-'))
  const command = join(directory, 'session-manager-plugin')
  const reports: PluginReport[] = []
  let waiting: (() => void) | undefined
  const listener = createServer((socket: Socket) => {
    socket.on('error', () => undefined)
    const end = new Promise((ended) => socket.once('close', ended))
    socket.once('data', (line) => {
      reports.push({ ...(JSON.parse(String(line)) as Omit<PluginReport, 'end'>), end })
      waiting?.()
    })
  })
  let mode = 'work'
  const variable = () => `${mode}:${(listener.address() as AddressInfo).port}`

  beforeAll(async () => {
    const words = [process.execPath, resolve('test/support/session-manager-plugin.ts')]
    writeFileSync(command, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`)
    chmodSync(command, 0o755)
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
  })
  afterAll(() => {
    listener.close()
    rmSync(directory, { recursive: true })
  })
  beforeEach(() => {
    reports.length = aws.server.calls.length = 0
    aws.server.intercept = answer
    setMode('work')
    return () => {
      vi.unstubAllEnvs()
    }
  })

  let sessions = 0
  function answer(operation: string, input: Fields): Fields | undefined {
    if (operation === 'StartSession') {
      if (input['Target'] === 'i-0000dead')
        throw new AwsError('TargetNotConnected', 'i-0000dead is not connected.')
      return { SessionId: `session-${++sessions}`, TokenValue: token, StreamUrl: 'wss://example.com/' }
    }
    if (operation === 'TerminateSession') return { SessionId: input['SessionId'] }
    if (operation !== 'DescribeInstanceInformation') return undefined
    // As the service may: a page of nothing, and what was meant on the next one.
    if (input['NextToken'] === undefined) return { InstanceInformationList: [], NextToken: 'next' }
    const [filter] = input['Filters'] as [{ Values: string[] }]
    return { InstanceInformationList: filter.Values[0] === 'bastion' ? [{ InstanceId: 'i-0123abcd' }] : [] }
  }

  /** What the plugin does: `work`, `fail` at once, be `silent`, or be `dead`, which listens and lets nothing pass. */
  function setMode(next: 'work' | 'fail' | 'silent' | 'dead'): void {
    mode = next
    vi.stubEnv('FAKE_PLUGIN', variable())
  }

  return {
    aws,
    command,
    reports,
    setMode,
    variable,
    make: (options: Partial<SsmBastionOptions> = {}) =>
      ssmBastion({
        ...(options.instanceName === undefined && { instanceId: 'i-0123abcd' }),
        command,
        client: new SSMClient({ endpoint: aws.server.url, maxAttempts: 1 }),
        ...options,
      }),
    /** How often an operation was called. */
    count: (operation: string) => aws.server.calls.filter((call) => call.operation === operation).length,
    /** Ends a plugin as a crash does, and waits until this process has noticed. */
    async crash({ pid }: PluginReport): Promise<void> {
      const before = process.listenerCount('exit')
      process.kill(pid, 'SIGKILL')
      while (process.listenerCount('exit') === before) await setImmediate()
    },
    /** The report of so many plugins. */
    async reported(count: number): Promise<PluginReport> {
      while (reports.length < count) await new Promise<void>((proceed) => (waiting = proceed))
      return reports[count - 1] as PluginReport
    },
  }
}
