import { globSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { type DatabaseServer, commandPath, owner, passwordUser, run, users } from './server.ts'

/** Debian keeps the programs of each version apart. */
const initdb = () => commandPath('initdb', ...globSync('/usr/lib/postgresql/*/bin').sort().reverse())

/** PostgreSQL, which takes tokens over TLS alone. */
export const postgres: DatabaseServer = {
  engine: 'postgres',
  title: 'PostgreSQL',
  stopSignal: 'SIGINT',
  obstacle: () => (initdb() === undefined ? 'it is not installed' : undefined),
  prepare({ directory, port, certFile, keyFile, user }) {
    const data = join(directory, 'data')
    const bin = dirname(initdb() ?? '')
    run(
      join(bin, 'initdb'),
      ['-D', data, '-U', owner, '--auth=reject', '--no-sync', '-E', 'UTF8', '--locale=C'],
      user,
    )
    const access = [
      `host all ${owner} 127.0.0.1/32 trust`,
      `hostssl all ${passwordUser} 127.0.0.1/32 scram-sha-256`,
      'hostssl all all 127.0.0.1/32 pam pamservice=rds',
      'host all all all reject',
    ]
    writeFileSync(join(data, 'pg_hba.conf'), `${access.join('\n')}\n`)
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      ssl: 'on',
      ssl_cert_file: certFile,
      ssl_key_file: keyFile,
      fsync: 'off',
      synchronous_commit: 'off',
      max_connections: 50,
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return { command: join(bin, 'postgres'), args: ['-D', data, ...args] }
  },
  async setUp(port) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: owner, database: 'postgres' })
    await client.connect()
    try {
      const { rows } = await client.query("select from pg_database where datname = 'shop'")
      if (rows.length > 0) return
      for (const user of [...users, passwordUser]) await client.query(`create role ${user} login`)
      await client.query('create database shop owner app')
    } finally {
      await client.end()
    }
  },
}
