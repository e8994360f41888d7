import { readDotenv } from '../core/dotenv.ts'

let file: string | false = '.env'

/** Sets the file in which to look for the region. It is the one that `environment()` reads. */
export function setEnvFile(path: string | false): void {
  file = path
}

/**
 * The region that the `.env` file names, if `process.env` names none. Lambda always sets `AWS_REGION`, so on Lambda the
 * file is not read.
 */
export function regionFromFile(): string | undefined {
  if (process.env['AWS_REGION'] || file === false) return undefined
  return readDotenv(file).get('AWS_REGION') || undefined
}

/** Where a region can be set, for messages. */
export function regionPlaces(): string {
  return file === false ? 'the environment' : `the environment or in ${file}`
}
