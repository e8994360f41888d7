import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyHandler } from '../core/middy.ts'
import { asRecord } from '../core/record.ts'
import { streamingRuntime } from '../testing/index.ts'
import { type Typed, UsageError, timeoutOf } from './command.ts'

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
  checkFile(file)
  const loaded = asRecord(await importModule(file, timeoutOf(typed))) ?? {}
  // Node does not find all names that CommonJS exports.
  const handler = loaded[name] ?? asRecord(loaded['default'])?.[name]
  if (typeof handler === 'function') return handler as AnyHandler
  const names = Object.keys(loaded).filter((key) => typeof loaded[key] === 'function')
  const there = names.length === 0 ? 'no function' : names.join(', ')
  const advice = names[0] === undefined ? '' : `; name one as ${target.split('#')[0] ?? ''}#${names[0]}`
  throw new LoadError(`${file} exports no function "${name}": it exports ${there}${advice}`)
}

/** @throws LoadError */
function checkFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw new LoadError(`There is no file ${file}`)
  if (found.isDirectory()) throw new LoadError(`${file} is a folder: name the file of the handler in it`)
}

/** What Lambda gives to a process before it loads a handler. */
function prepare(typed: Typed): void {
  const envFile = typed.text('env-file')
  if (envFile !== undefined) {
    if (!existsSync(envFile)) throw new UsageError(`There is no file ${envFile}`)
    process.loadEnvFile(envFile)
  }
  const memory = typed.integer('memory', 1, 10_240)
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

/** @throws LoadError for a module that does not finish, for what this Node does not run; or what the module throws */
async function importModule(file: string, milliseconds: number): Promise<unknown> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(
      new LoadError(
        `${file} has not finished loading after ${milliseconds / 1000} seconds: an await outside of its functions waits`,
      ),
    )
  }, milliseconds)
  try {
    return await Promise.race([import(pathToFileURL(file).href), late.promise])
  } catch (error) {
    const code = asRecord(error)?.['code']
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(file))
      throw new LoadError(
        `This Node (${process.version}) does not run TypeScript: take Node 22.18 or later, or compile ${file} first`,
      )
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new LoadError(`Node does not run ${file}: a handler is a module of JavaScript or TypeScript`)
    throw error
  } finally {
    clearTimeout(timer)
  }
}
