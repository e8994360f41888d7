import { isClientOption } from '../aws/client.ts'
import { ConfigurationError } from '../errors/index.ts'
import { checkOptions } from '../core/options.ts'
import { type SsmBastionOptions, sessionOpener } from './database/bastion-session.ts'
import { Tunnels } from './database/tunnels.ts'
import type { Bastion } from './iam-db-auth.ts'

export type { SsmBastionOptions } from './database/bastion-session.ts'

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
  checkBastion(options)
  const tunnels = new Tunnels(sessionOpener(options), options.localPort)
  return {
    async open(endpoint, port) {
      if (process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined || process.env['AWS_LAMBDA_HTTP_ENDPOINT'])
        throw new ConfigurationError(
          'ssmBastion() is for development: on Lambda, put the function into the VPC of the database',
        )
      return tunnels.open(endpoint, port)
    },
    close: (endpoint, port) => tunnels.close(endpoint, port),
  }
}

/** @throws TypeError */
function checkBastion(options: SsmBastionOptions): void {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  checkOptions('ssmBastion', options, {
    instanceId: (value: unknown) => typeof value === 'string' && /^m?i-[\da-f]{8,17}$/.test(value),
    instanceName: isText,
    region: isText,
    profile: isText,
    localPort: (value: unknown) =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 65_536,
    command: isText,
    client: isClientOption,
  })
  if ((options.instanceId === undefined) === (options.instanceName === undefined))
    throw new TypeError('ssmBastion() needs one of the options "instanceId" and "instanceName"')
}
