import { readDotenv } from '../core/dotenv.ts'
import { ConfigurationError } from '../errors/index.ts'
import { ScopeSlot } from './scope-slot.ts'
import type { Scope } from './scope.ts'

/** The file of the chain that the calling code belongs to. */
const ofInvocation = new ScopeSlot<string | false>()

/** The files of all chains of the process. */
const named = new Set<string | false>()

/** Whoever reads the variables of the file is told what is wrong with it. */
const silentRegionLogger = { error() {}, warn() {} }

/** Says that a chain of this process has this file. It is the one that `environment()` reads. */
export function nameEnvFile(file: string | false): void {
  named.add(file)
}

/** Says which file counts for an invocation. */
export function useEnvFile(scope: Scope, file: string | false): void {
  ofInvocation.set(scope, file)
}

/**
 * The region that the `.env` file names, if `process.env` names none. Lambda always sets `AWS_REGION`, so on Lambda the
 * file is not read. What runs in front of `environment()` cannot know its file: it takes the region that the files of the
 * process agree upon.
 *
 * @throws ConfigurationError if they do not agree
 */
export function regionFromFile(): string | undefined {
  if (process.env['AWS_REGION']) return undefined
  const files = envFiles()
  const regions = new Set(
    files.map((file) => readDotenv(file, silentRegionLogger).get('AWS_REGION')).filter(Boolean),
  )
  if (regions.size > 1)
    throw new ConfigurationError(
      `The files ${files.join(', ')} name different AWS regions: set AWS_REGION in the environment`,
    )
  return [...regions][0]
}

function envFiles(): string[] {
  const file = ofInvocation.get()
  const files = file !== undefined ? [file] : named.size > 0 ? [...named] : ['.env']
  return files.filter((name) => name !== false)
}

/** Where a region can be set, for messages. */
export function regionPlaces(): string {
  return ['the environment', ...envFiles()].join(' or in ')
}
