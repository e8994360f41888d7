import { Duration } from 'aws-cdk-lib'
import { type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda'
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { resolve } from 'node:path'

/** Of every function. An API gives up after 30 seconds. */
export const timeout = Duration.seconds(29)

const repository = resolve(import.meta.dirname, '../../..')

/**
 * CommonJS starts faster than an ES module of this size, and a bundled AWS SDK is the one that was tested, and no slower
 * than Lambda's own.
 */
const bundling: BundlingOptions = {
  format: OutputFormat.CJS,
  minify: true,
  bundleAwsSDK: true,
  // What the shop never loads on Lambda: an embedded database, and drivers and signers of others.
  externalModules: ['@electric-sql/pglite', 'mysql2', 'pg-native', '@aws-sdk/dsql-signer'],
  // The shop takes the library from the sources beside it. With the package from npm this is not needed.
  esbuildArgs: { '--conditions': 'clearskies-middy-source' },
}

/** What tells one function of the shop from another. */
export interface ShopFunctionProps {
  /** An export of the application. */
  readonly handler: string
  /** None for a function that needs nothing inside of it. */
  readonly vpc?: IVpc
  readonly environment: Record<string, string>
}

/** A function with the shop's code. */
export function shopFunction(
  scope: Construct,
  id: string,
  { handler, vpc, environment }: ShopFunctionProps,
): NodejsFunction {
  return new NodejsFunction(scope, id, {
    entry: resolve(import.meta.dirname, '../lambda.ts'),
    projectRoot: repository,
    depsLockFilePath: resolve(repository, 'package-lock.json'),
    handler,
    bundling,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: 512,
    timeout,
    ...(vpc && { vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED } }),
    environment,
    logGroup: new LogGroup(scope, `${id}Log`, { retention: RetentionDays.ONE_MONTH }),
  })
}

/** Lets a function do some things with some resources. */
export function allow(target: NodejsFunction, actions: string[], ...resources: string[]): void {
  target.addToRolePolicy(new PolicyStatement({ actions, resources }))
}
