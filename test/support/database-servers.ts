import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'

/** A server that `npm run test:databases` has started. */
export interface DatabaseServer {
  readonly engine: 'postgres' | 'mysql'
  readonly title: string
  readonly port: number
  readonly ca: string
  readonly pidFile: string
  readonly stopSignal: NodeJS.Signals
}

interface Site {
  readonly endpoint: string
  readonly clockFile: string
  readonly databases: readonly DatabaseServer[]
}

export const { endpoint, clockFile, databases } = JSON.parse(
  process.env['DATABASES'] ?? '{"databases":[]}',
) as Site

/** Sets the clock by which the servers judge tokens. */
export function setServerClock(seconds: number): void {
  writeFileSync(clockFile, String(seconds))
}

/** Ends a server, and everybody's connection with it; it is started again. */
export function restart({ pidFile, stopSignal }: DatabaseServer): void {
  process.kill(Number.parseInt(readFileSync(pidFile, 'utf8')), stopSignal)
}

/** Asks a server as its owner, past the library. */
export async function ask({ engine, port }: DatabaseServer, sql: string): Promise<Record<string, unknown>[]> {
  if (engine === 'postgres') {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'owner', database: 'shop' })
    await client.connect()
    return (await client.query(sql).finally(() => client.end())).rows as Record<string, unknown>[]
  }
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'owner', database: 'shop' })
  const [rows] = await connection.query(sql).finally(() => connection.end())
  return rows as Record<string, unknown>[]
}

/** The connections of a user, by their ids, and what each does: `undefined` for nothing. */
export async function sessions(
  server: DatabaseServer,
  user = 'app',
): Promise<Map<number, string | undefined>> {
  const rows = await ask(
    server,
    server.engine === 'postgres'
      ? `select pid as id, case state when 'active' then query end as query from pg_stat_activity where usename = '${user}'`
      : `select id as id, info as query from information_schema.processlist where user = '${user}'`,
  )
  return new Map(rows.map(({ id, query }) => [Number(id), typeof query === 'string' ? query : undefined]))
}

/** Waits until a user's connections are as they should be; fails with the test's time. */
export async function untilSessions(
  server: DatabaseServer,
  isDone: (sessions: ReadonlyMap<number, string | undefined>) => boolean,
  user?: string,
): Promise<void> {
  while (!isDone(await sessions(server, user)));
}

/** Stops all processes of a server, as a host that hangs; the function that is returned lets them go on. */
export function freeze({ pidFile }: DatabaseServer): () => void {
  const main = Number.parseInt(readFileSync(pidFile, 'utf8'))
  const { stdout } = spawnSync('cat', [`/proc/${main}/task/${main}/children`], { encoding: 'utf8' })
  const pids = [main, ...stdout.trim().split(' ').filter(Boolean).map(Number)]
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
}

/** Ends all connections of a user while this process sees and hears nothing, as one that is frozen. */
export function killWhileFrozen({ engine, port }: DatabaseServer, user = 'app'): void {
  const script = `
    import { setTimeout } from 'node:timers/promises'
    import pg from 'pg'
    import { createConnection } from 'mysql2/promise'
    const options = { host: '127.0.0.1', port: ${port}, user: 'owner' }
    if (${engine === 'postgres'}) {
      const client = new pg.Client({ ...options, database: 'shop' })
      await client.connect()
      await client.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = '${user}'")
      await client.end()
    } else {
      const connection = await createConnection(options)
      await connection.query('kill user ${user}')
      await connection.end()
    }
    await setTimeout(1100)`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}
