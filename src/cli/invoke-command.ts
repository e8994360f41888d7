import { inspect } from 'node:util'
import { print, tell } from './terminal.ts'
import { fork } from 'node:child_process'
import { InvalidEventError } from '../errors/index.ts'
import { lambdaContext, invoke } from '../testing/index.ts'
import { type CliCommand, type Typed, UsageError, handlerOptions, timeoutOf } from './command.ts'
import { LoadError, loadHandler } from './load-handler.ts'
import { readJson } from './read-json.ts'
import { describedEvent, eventOptions } from './sources.ts'

/** Tells the process in which the handler runs: whatever that writes, goes to the standard error. */
const marker = 'CLEARSKIES_MIDDY_INVOKES'

export const invokeCommand: CliCommand = {
  name: 'invoke',
  usage: 'MODULE[#EXPORT]',
  summary: 'Invokes a handler once; prints its result as JSON, logs on the standard error',
  options: {
    source: {
      type: 'string',
      value: 'SOURCE',
      help: 'whose event to make (default invocation: --data as it is)',
    },
    event: {
      type: 'string',
      value: 'FILE',
      help: 'a whole event in place of one that is made; - reads it from the standard input',
    },
    ...eventOptions,
    ...handlerOptions,
  },
  positionals: [1, 2],
  run: (typed) => (process.env[marker] === undefined ? inAnotherProcess() : ended(typed)),
}

/** What the process of the handler tells: that the invocation begins, then how it ended. */
type Told = { readonly began: number } | { readonly result: unknown }

/** In milliseconds: how much longer than its timeout a handler has that does not let go of the processor. */
const grace = 500

function inAnotherProcess(): Promise<number> {
  const [, script = '', ...args] = process.argv
  const child = fork(script, args, {
    env: { ...process.env, [marker]: '1' },
    stdio: ['inherit', 2, 2, 'ipc'],
  })
  // Ctrl-C on a terminal reaches both; what is sent to this process alone ends the other as well.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void child.kill(signal))
  return new Promise((resolve, reject) => {
    let result: { readonly result: unknown } | undefined
    let timer: NodeJS.Timeout | undefined
    child.on('message', (told: Told) => {
      if ('result' in told) result = told
      else
        timer = setTimeout(() => {
          tell(timedOut(told.began))
          child.kill('SIGKILL')
        }, told.began + grace)
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (result !== undefined) print(JSON.stringify(result.result, null, 2))
      else if (code !== 1 && code !== 2 && signal !== 'SIGKILL')
        tell(`The process of the handler ended (${signal ?? String(code)}) before there was a result`)
      resolve(result === undefined ? (code ?? 1) || 1 : 0)
    })
  })
}

/** As Lambda says it. */
function timedOut(milliseconds: number): string {
  return `Task timed out after ${milliseconds / 1000} seconds`
}

/** Ends the process, whatever the handler has left running. */
async function ended(typed: Typed): Promise<number> {
  try {
    process.exitCode = await invokeHere(typed)
  } catch (error) {
    if (error instanceof UsageError || error instanceof LoadError) throw error
    tell(inspect(error))
    if (
      error instanceof InvalidEventError &&
      ['source', 'event'].every((name) => typed.text(name) === undefined)
    )
      tell('Without --source the event is --data as it is: see clearskies-middy invoke --help')
    process.exitCode = 1
  }
  process.exit()
}

async function invokeHere(typed: Typed): Promise<number> {
  Reflect.deleteProperty(process.env, marker)
  const [target = '', dash] = typed.positionals
  if (dash !== undefined && dash !== '-') throw new UsageError(`invoke does not know what "${dash}" is`)
  const timeout = timeoutOf(typed)
  const file = dash ?? typed.text('event')
  const event =
    file === undefined ? describedEvent(typed.text('source') ?? 'invocation', typed) : await readJson(file)
  const handler = await loadHandler(target, typed)
  process.send?.({ began: timeout })
  const context = lambdaContext({ timeout })
  const result = await endsWithTimeout(invoke(handler, event, context), timeout)
  await new Promise((resolve) => process.send?.({ result: result ?? null }, resolve))
  return 0
}

/** As Lambda ends an invocation. */
function endsWithTimeout<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      tell(timedOut(milliseconds))
      process.exit(1)
    }, milliseconds)
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
    })
  })
}
