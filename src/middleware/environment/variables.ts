import { readDotenv } from '../../core/dotenv.ts'
import type { Logger } from '../../core/logger.ts'

/** Where variables are looked for. */
export interface VariableSources {
  readonly file: string | false
  readonly overrides: Readonly<Record<string, string>>
  readonly logger: Logger | undefined
}

/** The variables as they are set: overrides before `process.env` before a file. */
export class Variables {
  readonly #sources: VariableSources
  #ofFile: ReadonlyMap<string, string> | undefined

  constructor(sources: VariableSources) {
    this.#sources = sources
  }

  /** Where a variable may be set beside `process.env`, for messages. */
  get place(): string {
    const { file } = this.#sources
    return file === false ? 'a file (none is read)' : file
  }

  /** @throws ConfigurationError if the file exists and cannot be read */
  get(name: string): string | undefined {
    const { file, overrides, logger } = this.#sources
    const place = [overrides, process.env].find((variables) => Object.hasOwn(variables, name))
    const value = place?.[name]
    if (value !== undefined || file === false) return value
    this.#ofFile ??= readDotenv(file, logger)
    return this.#ofFile.get(name)
  }
}
