import type { DescribeInstanceInformationCommandOutput, StartSessionCommandOutput } from '@aws-sdk/client-ssm'
import { type ClientOption, isClientOption, lazyClient, ownClients } from '../aws-client.ts'
import { BastionError, ConfigurationError } from '../errors.ts'
import { optionalImport } from '../optional-import.ts'
import { checkOptions } from '../options.ts'
import type { TunnelEntry } from './database/tunnel-socket.ts'
import type { Bastion } from './iam-db-auth.ts'
import { type PluginProcess, startPlugin } from './session-manager-plugin.ts'

/** Options of {@link ssmBastion}. One of `instanceId` and `instanceName` is needed. */
export interface SsmBastionOptions {
  /** The instance to go through: `i-0123456789abcdef0`. */
  readonly instanceId?: string
  /** The instance by its tag `Name`; the first that is online. */
  readonly instanceName?: string
  /** The instance's region. @default AWS_REGION */
  readonly region?: string
  /** A profile of the AWS configuration, for the client and the plugin. */
  readonly profile?: string
  /** The port to listen on, on this machine. @default a free one */
  readonly localPort?: number
  /** The plugin's command. @default 'session-manager-plugin' */
  readonly command?: string
  /** An `SSMClient`. */
  readonly client?: ClientOption
}

const loadSdk = () => optionalImport('@aws-sdk/client-ssm', () => import('@aws-sdk/client-ssm'))

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html */
const documentName = 'AWS-StartPortForwardingSessionToRemoteHost'

/**
 * A tunnel through an instance that Systems Manager manages, to a database in a private subnet: for development. Needs
 * AWS's session-manager-plugin, `@aws-sdk/client-ssm`, and the permissions `ssm:StartSession`, `ssm:TerminateSession`, and
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
  const { instanceId, instanceName, region = process.env['AWS_REGION'], profile } = options
  if ((instanceId === undefined) === (instanceName === undefined))
    throw new TypeError('ssmBastion() needs one of the options "instanceId" and "instanceName"')
  const ownClient = ownClients(
    async (config) => new (await loadSdk()).SSMClient({ ...config, ...(profile && { profile }) }),
  )
  const client = lazyClient(options.client, () => ownClient(region))
  const tunnels = new Map<string, Promise<Tunnel>>()

  async function target(): Promise<string> {
    if (instanceId !== undefined) return instanceId
    const { DescribeInstanceInformationCommand } = await loadSdk()
    const { InstanceInformationList: found = [] } = (await (
      await client()
    ).send(
      new DescribeInstanceInformationCommand({
        Filters: [
          { Key: 'tag:Name', Values: [String(instanceName)] },
          { Key: 'PingStatus', Values: ['Online'] },
        ],
      }),
    )) as DescribeInstanceInformationCommandOutput
    const id = found[0]?.InstanceId
    if (id === undefined)
      throw new BastionError(
        `No instance with the tag Name "${instanceName}" is online in ${region ?? 'the region'}`,
      )
    return id
  }

  async function openTunnel(endpoint: string, remotePort: number, localPort: number): Promise<Tunnel> {
    const request = {
      Target: await target(),
      DocumentName: documentName,
      Parameters: {
        host: [endpoint],
        portNumber: [String(remotePort)],
        localPortNumber: [String(localPort)],
      },
    }
    const { StartSessionCommand, TerminateSessionCommand } = await loadSdk()
    const ssm = await client()
    const session = (await ssm.send(new StartSessionCommand(request))) as StartSessionCommandOutput
    const terminate = async (): Promise<void> => {
      await ssm.send(new TerminateSessionCommand({ SessionId: session.SessionId })).catch(() => undefined)
    }
    try {
      const { command } = options
      const plugin = await startPlugin({
        session,
        request,
        region: region ?? '',
        localPort,
        profile,
        command,
      })
      return { plugin, terminate }
    } catch (error) {
      await terminate()
      throw error
    }
  }

  return {
    async open(endpoint, remotePort) {
      if (process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined)
        throw new ConfigurationError(
          'ssmBastion() is for development: on Lambda, put the function into the VPC of the database',
        )
      const name = `${endpoint}:${remotePort}`
      const known = tunnels.get(name)
      const alive = await known?.catch(() => undefined)
      if (alive?.plugin.isAlive === true) return entryOf(alive)
      // Another caller may have begun meanwhile. A tunnel that has died is opened again at the same port.
      if (tunnels.get(name) === known) {
        const opening = openTunnel(endpoint, remotePort, alive?.plugin.port ?? options.localPort ?? 0)
        tunnels.set(name, opening)
        opening.catch(() => {
          if (tunnels.get(name) === opening) tunnels.delete(name)
        })
      }
      return entryOf(await (tunnels.get(name) as Promise<Tunnel>))
    },
    async close() {
      const open = [...tunnels.values()]
      tunnels.clear()
      for (const opening of open) {
        const tunnel = await opening.catch(() => undefined)
        await tunnel?.plugin.stop()
        await tunnel?.terminate()
      }
    },
  }
}

interface Tunnel {
  readonly plugin: PluginProcess
  readonly terminate: () => Promise<void>
}

function entryOf({ plugin }: Tunnel): TunnelEntry {
  return { host: '127.0.0.1', port: plugin.port }
}
