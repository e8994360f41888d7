import type * as sdk from '@aws-sdk/client-ssm'
import type { DescribeInstanceInformationCommandOutput } from '@aws-sdk/client-ssm'
import { type ClientOption, ownClients, reasonOf } from '../../aws/client.ts'
import { type Port, portTo } from '../../aws/port.ts'
import { regionFromFile, regionPlaces } from '../../invocation/region.ts'
import { ssm } from '../../aws/ssm.ts'
import { BastionError, ConfigurationError } from '../../errors/index.ts'
import { startPlugin } from './session-manager-plugin.ts'
import { regionOfEndpoint } from './settings.ts'
import type { OpenTunnel } from './tunnels.ts'

/** Options of `ssmBastion()`. One of `instanceId` and `instanceName` is needed. */
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

/** Opens tunnels by sessions of Systems Manager. */
export function sessionOpener(options: SsmBastionOptions): OpenTunnel {
  const { instanceId, instanceName, profile, command } = options
  const ownClient = ownClients((config) => ssm.newClient({ ...config, ...(profile && { profile }) }))
  const given = options.client && portTo(ssm, { client: options.client })
  const named = instanceId ?? `the tag Name "${instanceName}"`

  return async function openTunnel(host, remotePort, localPort) {
    const region = regionFor(host, options)
    const manager = given ?? portTo(ssm, { client: () => ownClient(region) })
    const parameters = {
      host: [host],
      portNumber: [String(remotePort)],
      localPortNumber: [String(localPort)],
    }
    const { request, session } = await startSession(manager, { options, region, parameters }).catch(
      (cause: unknown) => {
        if (cause instanceof BastionError || cause instanceof ConfigurationError) throw cause
        throw new BastionError(`No session with ${named} in ${region}: ${reasonOf(cause)}`, { cause })
      },
    )
    const terminate = async (): Promise<void> => {
      // It may have ended by itself.
      await manager.call('TerminateSession', { SessionId: session.SessionId }).catch(() => undefined)
    }
    try {
      return {
        plugin: await startPlugin({ session, request, region, localPort, profile, command }),
        terminate,
      }
    } catch (error) {
      await terminate()
      throw error
    }
  }
}

/** @throws ConfigurationError */
function regionFor(endpoint: string, options: SsmBastionOptions): string {
  const region =
    options.region ?? regionOfEndpoint(endpoint) ?? (process.env['AWS_REGION'] || regionFromFile())
  if (region !== undefined) return region
  throw new ConfigurationError(`ssmBastion(): no AWS region is set: give AWS_REGION in ${regionPlaces()}`)
}

interface SessionPlace {
  readonly options: SsmBastionOptions
  readonly region: string
  readonly parameters: Record<string, string[]>
}

async function startSession({ call }: Port<typeof sdk>, { options, region, parameters }: SessionPlace) {
  const Target = options.instanceId ?? (await onlineInstance(call, options.instanceName, region))
  const request = { Target, DocumentName: documentName, Parameters: parameters }
  return { request, session: await call('StartSession', request) }
}

/** The first instance of a name that is online. @throws BastionError */
async function onlineInstance(
  call: Port<typeof sdk>['call'],
  name: string | undefined,
  region: string,
): Promise<string> {
  const Filters = [
    { Key: 'tag:Name', Values: [String(name)] },
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
  throw new BastionError(`No instance with the tag Name "${name}" is online in ${region}`)
}
