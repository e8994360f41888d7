import type * as sdk from '@aws-sdk/client-ssm'
import type { DescribeInstanceInformationCommandOutput } from '@aws-sdk/client-ssm'
import { type ClientOption, isClientOption, ownClients, reasonOf } from '../aws/client.ts'
import { type Port, portTo } from '../aws/port.ts'
import { ssm } from '../aws/ssm.ts'
import { BastionError, ConfigurationError } from '../errors/index.ts'
import { checkOptions } from '../core/options.ts'
import { regionFromFile, regionPlaces } from '../aws/region.ts'
import type { Entry } from './database/entry-socket.ts'
import { regionOf } from './database/settings.ts'
import type { Bastion } from './iam-db-auth.ts'
import { type PluginProcess, isFree, startPlugin } from './database/session-manager-plugin.ts'

/** Options of {@link ssmBastion}. One of `instanceId` and `instanceName` is needed. */
export interface SsmBastionOptions {
  /** The instance to go through: `i-0123456789abcdef0`. */
  readonly instanceId?: string
  /** The instance by its tag `Name`; the first that is online. */
  readonly instanceName?: string
  /** The instance's region. @default that of the database, as far as its name tells, else AWS_REGION */
  readonly region?: string
  /** A profile of the AWS configuration, for the client and the plugin. */
  readonly profile?: string
  /** The port to listen on, on this machine; for one database at a time. @default a free one */
  readonly localPort?: number
  /** The plugin's command, or a path to it. @default 'session-manager-plugin' */
  readonly command?: string
  /** An `SSMClient`. */
  readonly client?: ClientOption
}

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html */
const documentName = 'AWS-StartPortForwardingSessionToRemoteHost'

/**
 * A tunnel through an instance that Systems Manager manages, to a database in a private subnet: for development. Needs
 * AWS's session-manager-plugin (1.2.497 or later), `@aws-sdk/client-ssm`, and the permissions `ssm:StartSession`, `ssm:TerminateSession`, and
 * for a name `ssm:DescribeInstanceInformation`. Refuses to run inside Lambda: there, put the function into the VPC.
 *
 * @example
 * ```ts
 * import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
 * import { ssmBastion } from 'clearskies-middy/middleware/ssm-bastion'
 *
 * export const database = iamDbAuth({ engine: 'postgres', bastion: ssmBastion({ instanceName: 'bastion' }) })
 * ```
 */
export function ssmBastion(options: SsmBastionOptions): Bastion {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  checkOptions('ssmBastion', options, {
    instanceId: (value: unknown) => typeof value === 'string' && /^m?i-[\da-f]{8,17}$/.test(value),
    instanceName: isText,
    region: isText,
    profile: isText,
    localPort: (value: unknown) =>
      Number.isInteger(value) && (value as number) >= 0 && (value as number) < 65_536,
    command: isText,
    client: isClientOption,
  })
  const { instanceId, instanceName, profile, localPort = 0 } = options
  if ((instanceId === undefined) === (instanceName === undefined))
    throw new TypeError('ssmBastion() needs one of the options "instanceId" and "instanceName"')
  const ownClient = ownClients((config) => ssm.newClient({ ...config, ...(profile && { profile }) }))
  const given = options.client && portTo(ssm, { client: options.client })
  const tunnels = new Map<string, Promise<Tunnel>>()

  function regionFor(endpoint: string): string {
    const region = options.region ?? regionOf(endpoint) ?? (process.env['AWS_REGION'] || regionFromFile())
    if (region !== undefined) return region
    throw new ConfigurationError(`ssmBastion(): no AWS region is set: give AWS_REGION in ${regionPlaces()}`)
  }

  async function target({ call }: Port<typeof sdk>, region: string): Promise<string> {
    if (instanceId !== undefined) return instanceId
    const Filters = [
      { Key: 'tag:Name', Values: [String(instanceName)] },
      { Key: 'PingStatus', Values: ['Online'] },
    ]
    let NextToken: string | undefined
    do {
      const found: DescribeInstanceInformationCommandOutput = await call('DescribeInstanceInformation', {
        Filters,
        NextToken,
      })
      const id = found.InstanceInformationList?.[0]?.InstanceId
      if (id !== undefined) return id
      // A page may be empty, and others follow.
      NextToken = found.NextToken
    } while (NextToken !== undefined)
    throw new BastionError(`No instance with the tag Name "${instanceName}" is online in ${region}`)
  }

  async function openTunnel(endpoint: string, remotePort: number, port: number): Promise<Tunnel> {
    const region = regionFor(endpoint)
    const manager = given ?? portTo(ssm, { client: () => ownClient(region) })
    const { request, session } = await startSession().catch((cause: unknown) => {
      if (cause instanceof BastionError || cause instanceof ConfigurationError) throw cause
      const name = instanceId ?? `the tag Name "${instanceName}"`
      throw new BastionError(`No session with ${name} in ${region}: ${reasonOf(cause)}`, { cause })
    })

    async function startSession() {
      const input = {
        Target: await target(manager, region),
        DocumentName: documentName,
        Parameters: {
          host: [endpoint],
          portNumber: [String(remotePort)],
          localPortNumber: [String(port)],
        },
      }
      return { request: input, session: await manager.call('StartSession', input) }
    }

    async function terminate(): Promise<void> {
      // It may have ended by itself.
      await manager.call('TerminateSession', { SessionId: session.SessionId }).catch(() => undefined)
    }

    try {
      const { command } = options
      const plugin = await startPlugin({ session, request, region, localPort: port, profile, command })
      return { plugin, terminate }
    } catch (error) {
      await terminate()
      throw error
    }
  }

  /** Opens what has died at the port that it had: who has read the connection's details still finds it. */
  async function reopen(endpoint: string, remotePort: number, last: Tunnel | undefined): Promise<Tunnel> {
    await last?.terminate()
    if (last === undefined || !(await isFree(last.plugin.port)))
      return openTunnel(endpoint, remotePort, localPort)
    return openTunnel(endpoint, remotePort, last.plugin.port)
  }

  return {
    async open(endpoint, remotePort) {
      if (process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined)
        throw new ConfigurationError(
          'ssmBastion() is for development: on Lambda, put the function into the VPC of the database',
        )
      const name = nameOf(endpoint, remotePort)
      const known = tunnels.get(name)
      const last = await known
      if (last?.plugin.isAlive === true) return entryOf(last)
      let opening = tunnels.get(name)
      // Not if another caller, who has found it dead too, was first.
      if (opening === known || opening === undefined) {
        const begun = reopen(endpoint, remotePort, last)
        begun.catch(() => {
          if (tunnels.get(name) === begun) tunnels.delete(name)
        })
        tunnels.set(name, begun)
        opening = begun
      }
      return entryOf(await opening)
    },
    async close(endpoint, remotePort) {
      const all = [...tunnels].filter(
        ([name]) => endpoint === undefined || name === nameOf(endpoint, remotePort),
      )
      for (const [name] of all) tunnels.delete(name)
      const closing = all.map(async ([, opening]) => {
        const tunnel = await opening.catch(() => undefined)
        await tunnel?.plugin.stop()
        await tunnel?.terminate()
      })
      await Promise.all(closing)
    },
  }
}

interface Tunnel {
  readonly plugin: PluginProcess
  readonly terminate: () => Promise<void>
}

function nameOf(endpoint: string, port: number | undefined): string {
  return `${endpoint}:${port}`
}

function entryOf({ plugin }: Tunnel): Entry {
  return { host: '127.0.0.1', port: plugin.port }
}
