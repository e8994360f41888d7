import { inspect } from 'node:util'
import { print, tell } from './terminal.ts'
import { fork } from 'node:child_process'
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
  run: (typed) => (process.env[marker] === undefined ? inAnotherProcess() : ended(invokeHere(typed))),
}

/** What the process of the handler tells. */
type Told = { readonly result: unknown } | undefined

function inAnotherProcess(): Promise<number> {
  const [, script = '', ...args] = process.argv
  const child = fork(script, args, {
    env: { ...process.env, [marker]: '1' },
    stdio: ['inherit', 2, 2, 'ipc'],
  })
  return new Promise((resolve, reject) => {
    let told: Told
    child.on('message', (message) => {
      told = message as Told
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (told !== undefined) print(JSON.stringify(told.result, null, 2))
      resolve(told === undefined ? (code ?? 1) || 1 : 0)
    })
  })
}

/** Ends the process, whatever the handler has left running. */
async function ended(work: Promise<number>): Promise<number> {
  try {
    process.exitCode = await work
  } catch (error) {
    if (error instanceof UsageError || error instanceof LoadError) throw error
    tell(inspect(error))
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
  const context = lambdaContext({ timeout })
  const result = await withinTimeout(invoke(handler, event, context), timeout)
  await new Promise((resolve) => process.send?.({ result: result ?? null }, resolve))
  return 0
}

/** As Lambda ends an invocation. */
function withinTimeout<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      tell(`Task timed out after ${milliseconds / 1000} seconds`)
      process.exit(1)
    }, milliseconds)
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
    })
  })
}
