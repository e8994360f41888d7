import type { ClientOption } from '../../aws/client.ts'
import { portTo } from '../../aws/port.ts'
import { ssm } from '../../aws/ssm.ts'
import { parameterRef, parameterTitle } from './parameter-name.ts'
import { ParameterReader } from './parameter-reader.ts'
import { ParameterWriter } from './parameter-writer.ts'
import type { SecretStore } from './store.ts'

/** Parameter Store as a {@link SecretStore}. */
export function ssmStore(client: ClientOption | undefined): SecretStore {
  const port = portTo(ssm, { client })
  const reader = new ParameterReader(port)
  const writer = new ParameterWriter(port)
  return {
    title: parameterTitle,
    scheme: 'ssm',
    ref: parameterRef,
    nameFromUri: (name) => (name.startsWith('/') || name.startsWith('arn:') ? name : `/${name}`),
    batches: (refs) => reader.batches(refs),
    read: (batch, options) => reader.read(batch, options),
    readDeclared: (refs, options) => reader.readDeclared(refs, options),
    writeOptions: ['kmsKeyId', 'type', 'tier', 'tags'],
    create: (write) => writer.create(write),
    update: (write) => writer.update(write),
    upsert: (write) => writer.upsert(write),
    delete: (name, _, signal) => writer.delete(name, signal),
    list: (prefix, timed) => reader.list(prefix, timed),
  }
}
