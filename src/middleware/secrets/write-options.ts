import { oneOf } from '../../core/options.ts'
import type { CreateSecretOptions, SecretStore } from './store.ts'

const attributeChecks: Readonly<Record<keyof CreateSecretOptions, (value: unknown) => boolean>> = {
  kmsKeyId: (value) => typeof value === 'string' && value !== '',
  type: oneOf('SecureString', 'String', 'StringList'),
  tier: oneOf('Standard', 'Advanced', 'Intelligent-Tiering'),
  tags: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string'),
}

/** What a method that writes may be told, by the store's own options. Only a new secret is given tags. */
export function writeChecks(
  { writeOptions }: SecretStore,
  method: 'create' | 'update' | 'upsert',
): Readonly<Record<string, (value: unknown) => boolean>> {
  const names = method === 'update' ? writeOptions.filter((name) => name !== 'tags') : writeOptions
  return Object.fromEntries(names.map((name) => [name, attributeChecks[name]]))
}
