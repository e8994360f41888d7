import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyHandler } from '../core/middy.ts'
import { asRecord } from '../core/record.ts'
import { streamingRuntime } from '../testing/index.ts'
import { type Typed, UsageError } from './command.ts'

/** The handler cannot be found: the message says why, and a stack would add nothing. */
export class LoadError extends Error {
  override name = 'LoadError'
}

/**
 * Loads `MODULE#EXPORT`. TypeScript runs as Node runs it. Environment variables of a file are there before.
 *
 * @throws LoadError, UsageError, or what the module throws
 */
export async function loadHandler(target: string, typed: Typed): Promise<AnyHandler> {
  prepare(typed)
  const { file, name } = targetOf(target)
  if (!existsSync(file)) throw new LoadError(`There is no file ${file}`)
  const loaded = asRecord(await importModule(file)) ?? {}
  const handler = loaded[name]
  if (typeof handler === 'function') return handler as AnyHandler
  const names = Object.keys(loaded).filter((key) => typeof loaded[key] === 'function')
  const there = names.length === 0 ? 'no function' : names.join(', ')
  throw new LoadError(`${file} exports no function "${name}": it exports ${there}`)
}

/** What Lambda gives to a process before it loads a handler. */
function prepare(typed: Typed): void {
  const envFile = typed.text('env-file')
  if (envFile !== undefined) {
    if (!existsSync(envFile)) throw new UsageError(`There is no file ${envFile}`)
    process.loadEnvFile(envFile)
  }
  const memory = typed.number('memory', 1)
  if (memory !== undefined) process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] = String(memory)
  // Compiled code with maps tells of the lines of its source.
  process.setSourceMapsEnabled(true)
  streamingRuntime()
}

function targetOf(target: string): { readonly file: string; readonly name: string } {
  const hash = target.lastIndexOf('#')
  const [file, name] = hash < 0 ? [target, 'handler'] : [target.slice(0, hash), target.slice(hash + 1)]
  return { file: resolve(file), name: name === '' ? 'default' : name }
}

async function importModule(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    if (asRecord(error)?.['code'] === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(file))
      throw new LoadError(
        `This Node (${process.version}) does not run TypeScript: take Node 22.18 or later, or compile ${file} first`,
      )
    throw error
  }
}
