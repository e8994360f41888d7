import { MissingDependencyError } from './errors.ts'

/**
 * Loads an optional peer dependency when it is first needed. Bundlers follow the `import()` in `load`; what a handler
 * never uses is never loaded, and what is missing is named.
 *
 * @throws MissingDependencyError
 */
export async function optionalImport<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    const { code } = cause as { code?: unknown }
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
      throw new MissingDependencyError(name, { cause })
    throw cause
  }
}
