import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { ShopStack } from './shop-stack.ts'

// Without bundles, which take their time.
const app = new App({ context: { 'aws:cdk:bundling-stacks': [] }, analyticsReporting: false })

/** The template of the shop, for tests. */
export const template: Template = Template.fromStack(new ShopStack(app, 'Shop'))

/** A resource of the template. */
export interface Resource {
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DependsOn?: readonly string[]
}

/** All of a type. */
export function resources(type: string): [id: string, resource: Resource][] {
  return Object.entries(template.findResources(type)) as [string, Resource][]
}

/** A resource that there is one of, or of whose name this is the beginning. */
export function idOf(type: string, name = ''): string {
  const [found, ...others] = resources(type).filter(([id]) => id.startsWith(name))
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} ${type} ${name}`)
  return found[0]
}

/** The functions, and what each has of the application for a handler. */
export const handlers = {
  BehindAlb: 'albHandler',
  BehindRestApi: 'restApiHandler',
  BehindHttpApi: 'httpApiHandler',
  CreateProduct: 'createProductHandler',
  Streams: 'streamHandler',
  Worker: 'worker',
  Projector: 'projector',
  Nightly: 'nightly',
  Live: 'live',
  Teller: 'teller',
} as const
export type Name = keyof typeof handlers
export const names = Object.keys(handlers) as Name[]
export const functionOf = (name: Name): string =>
  String(
    resources('AWS::Lambda::Function').find(
      ([, { Properties }]) => Properties['Handler'] === `index.${handlers[name]}`,
    )?.[0],
  )

/** A function, as CloudFormation is told. */
export function propertiesOf(name: Name): Resource['Properties'] {
  const { Resources } = template.toJSON() as { Resources: Readonly<Record<string, Resource>> }
  return (Resources[functionOf(name)] as Resource).Properties
}

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

/** What policies say. */
export function statementsOf(policies: readonly [string, Resource][]): Statement[] {
  return policies.flatMap(
    ([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
  )
}

/** What a function may do, as `action on resource`, beside writing its log and being in a VPC. */
export function permissionsOf(name: Name): string[] {
  const role = (propertiesOf(name)['Role'] as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0]
  const policies = resources('AWS::IAM::Policy').filter(([, policy]) =>
    (policy.Properties['Roles'] as { Ref: string }[]).some(({ Ref }) => Ref === role),
  )
  return statementsOf(policies)
    .flatMap(({ Action, Resource }) => [Action].flat().map((action) => `${action} on ${readable(Resource)}`))
    .sort()
}

/** `Fn::Join` and `Fn::GetAtt` as text. */
export function readable(value: unknown): string {
  if (typeof value === 'string') return value
  const {
    'Fn::Join': join,
    'Fn::GetAtt': attribute,
    Ref,
  } = value as { 'Fn::Join'?: [string, unknown[]]; 'Fn::GetAtt'?: string[]; Ref?: string }
  if (join !== undefined) return join[1].map(readable).join('')
  return attribute === undefined ? `<${Ref?.replace('AWS::', '')}>` : `<${attribute.join('.')}>`
}
