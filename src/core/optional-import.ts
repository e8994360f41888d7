import { MissingDependencyError } from '../errors/index.ts'

/**
 * Loads an optional peer dependency when it is first needed. Bundlers follow the `import()` in `load`; what a handler
 * never uses is never loaded, and what is missing is named.
 *
 * @throws MissingDependencyError
 */
export async function optionalImport<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    const loaded = await load()
    const [first, ...more] = Object.keys(loaded as object)
    const { default: inner } = loaded as { readonly default?: unknown }
    // A bundle that esbuild has cut into chunks holds a CommonJS package as `default` alone.
    return first === 'default' && more.length === 0 && typeof inner === 'object' ? (inner as T) : loaded
  } catch (cause) {
    const { code } = cause as { code?: unknown }
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
      throw new MissingDependencyError(name, { cause })
    throw cause
  }
}

/** The same, once: every `import()` costs some 30 µs, also of what is loaded. A failure is not kept. */
export function lazyImport<T>(name: string, load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () =>
    (loading ??= optionalImport(name, load).catch((error: unknown) => {
      loading = undefined
      throw error
    }))
}

/**
 * Behind the `import()` of a package that not everybody has: bundlers take it for a sign that a missing one is dealt with at
 * run time, and leave it out instead of giving up.
 */
export function atRunTime(error: unknown): never {
  throw error
}
