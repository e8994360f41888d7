import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that is running. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #waiting = new Set<() => void>()

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      for (const look of this.#waiting) look()
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      for (const look of this.#waiting) look()
    })
    this.ended = new Promise((done) => {
      this.child.once('close', (code) => {
        done({ code, stdout: this.stdout, stderr: this.stderr })
        for (const look of this.#waiting) look()
      })
    })
  }

  /** Resolves when either output matches. Rejects where the command ends before. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((done) => {
      const look = (): void => {
        const match = pattern.exec(`${this.stdout}\n${this.stderr}`)
        if (match === null) return
        this.#waiting.delete(look)
        done(match)
      }
      this.#waiting.add(look)
      look()
    })
    const over = this.ended.then(({ code, stderr }) => {
      throw new Error(`it ended with ${String(code)} before ${String(pattern)}: ${stderr}`)
    })
    over.catch(() => undefined)
    return Promise.race([found, over])
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    this.child.kill(signal)
    return this.ended
  }
}

const main = [process.execPath, '--conditions=clearskies-middy-source', resolve('src/cli/main.ts')] as const

/** Starts the command line as a process of its own. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const [node, ...rest] = main
  return new Running(node, [...rest, ...args], {
    ...process.env,
    NO_COLOR: undefined,
    NODE_OPTIONS: '',
    ...env,
  })
}

/** Runs a command to its end. */
export function command(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const running = start(args, env)
  running.child.stdin?.end(input)
  return running.ended
}

/** The same on a pseudo-terminal. */
export function onTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const words = [...main, ...args].map((word) => `'${word}'`).join(' ')
  return new Running('script', ['-qefc', words, '/dev/null'], {
    ...process.env,
    NO_COLOR: undefined,
    CI: undefined,
    NODE_OPTIONS: '',
    TERM: 'xterm',
    ...env,
  })
}

/** A folder with files, inside of the project, so that they find its packages. */
export class Project implements Disposable {
  readonly directory: string = mkdtempSync(resolve('test/.cli-'))

  write(name: string, text: string): string {
    const file = join(this.directory, name)
    writeFileSync(file, text)
    return file
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
