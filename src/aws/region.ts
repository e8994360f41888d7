import { readDotenv } from '../core/dotenv.ts'

let file: string | false = '.env'

/** The file that `environment()` reads is where the region may stand, too. */
export function setEnvFile(path: string | false): void {
  file = path
}

/**
 * The region that the `.env` file names, where `process.env` names none. Lambda always sets `AWS_REGION`, so there the
 * file is not looked at.
 */
export function regionFromFile(): string | undefined {
  if (process.env['AWS_REGION'] || file === false) return undefined
  return readDotenv(file).get('AWS_REGION') || undefined
}

/** For messages. */
export function regionPlaces(): string {
  return file === false ? 'the environment' : `the environment or in ${file}`
}
