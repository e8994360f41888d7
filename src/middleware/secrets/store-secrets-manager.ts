import type { ClientOption } from '../../aws/client.ts'
import { portTo } from '../../aws/port.ts'
import { secretsManager } from '../../aws/secrets-manager.ts'
import { secretRef, secretTitle } from './secret-name.ts'
import { SecretReader } from './secret-reader.ts'
import { SecretWriter } from './secret-writer.ts'
import type { SecretStore } from './store.ts'

/** Secrets Manager as a {@link SecretStore}. */
export function secretsManagerStore(client: ClientOption | undefined): SecretStore {
  const port = portTo(secretsManager, { client })
  const reader = new SecretReader(port)
  const writer = new SecretWriter(port)
  return {
    title: secretTitle,
    scheme: 'secretsmanager',
    ref: secretRef,
    nameFromUri: (name) => name,
    batches: (refs) => reader.batches(refs),
    read: (batch, options) => reader.read(batch, options),
    readDeclared: (refs, options) => reader.readDeclared(refs, options),
    writeOptions: ['kmsKeyId', 'tags'],
    create: (write) => writer.create(write),
    update: (write) => writer.update(write),
    upsert: (write) => writer.upsert(write),
    delete: (name, options, signal) => writer.delete(name, options, signal),
    list: (prefix, timed) => reader.list(prefix, timed),
  }
}
