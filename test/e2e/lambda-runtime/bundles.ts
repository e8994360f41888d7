import { type BuildOptions, build } from 'esbuild'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** How a handler is bundled. */
export type Format = 'esm' | 'cjs'
export const formats = ['esm', 'cjs'] as const satisfies readonly Format[]

/** Folders outside of the project, so that a bundle finds nothing but itself, as on Lambda. */
export class Bundles implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'lambda-runtime-'))

  /** Bundles a file of this project as `handler.mjs` or `handler.cjs`. @returns its folder */
  async make(entry: string, format: Format, options: BuildOptions = {}): Promise<string> {
    const root = mkdtempSync(join(this.#directory, `${format}-`))
    await build({
      entryPoints: { handler: resolve(entry) },
      outdir: root,
      outExtension: { '.js': format === 'esm' ? '.mjs' : '.cjs' },
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node24',
      format,
      conditions: ['clearskies-middy-source'],
      // Not for Lambda: the database that the shop has when it is given none, and drivers of others.
      external: ['@electric-sql/pglite', 'mysql2', 'pg-native', '@aws-sdk/dsql-signer'],
      logLevel: 'error',
      // Packages that are CommonJS inside ask for built-in modules by require().
      ...(format === 'esm' && {
        banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
      }),
      ...options,
    })
    return root
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
