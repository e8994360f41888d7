import { MissingDependencyError } from '../errors/index.ts'
import { lazily } from './lazily.ts'

/**
 * Loads an optional peer dependency. The `import()` stands in `load`, where bundlers find it.
 *
 * @throws MissingDependencyError if the package is not installed
 */
export async function optionalImport<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    const loaded = await load()
    const [first, ...more] = Object.keys(loaded as object)
    const { default: inner } = loaded as { readonly default?: unknown }
    // esbuild, when it splits a bundle into chunks, exports a CommonJS package as `default` alone.
    return first === 'default' && more.length === 0 && typeof inner === 'object' ? (inner as T) : loaded
  } catch (cause) {
    const { code } = cause as { code?: unknown }
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
      throw new MissingDependencyError(name, { cause })
    throw cause
  }
}

/**
 * Loads an optional peer dependency once, when it is first needed. After a failure, the next call tries again. Even of a
 * loaded module, each `import()` costs some 30 µs.
 */
export function lazyImport<T>(name: string, load: () => Promise<T>): () => Promise<T> {
  return lazily(() => optionalImport(name, load))
}

/**
 * Goes into the `catch()` of an optional package's `import()`. For a bundler the `catch()` means that the code handles a
 * missing package at run time. Then the bundler leaves the package out and does not fail.
 */
export function atRunTime(error: unknown): never {
  throw error
}
