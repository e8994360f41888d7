import type { Logger } from 'clearskies-middy'

/** A logger that remembers. */
export class RecordingLogger implements Logger {
  readonly errors: { readonly message: string; readonly details: unknown }[] = []
  readonly warnings: { readonly message: string; readonly details: unknown }[] = []

  error(message: string, details?: unknown): void {
    this.errors.push({ message, details })
  }

  warn(message: string, details?: unknown): void {
    this.warnings.push({ message, details })
  }
}
