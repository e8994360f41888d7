import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { type DatabaseServer, commandPath, owner, passwordUser, run, users } from './server.ts'

const places = ['/usr/sbin', '/usr/bin']

/** MariaDB, which asks for a token by the plugin for clear text. */
export const mariadb: DatabaseServer = {
  engine: 'mysql',
  title: 'MariaDB',
  stopSignal: 'SIGTERM',
  obstacle: () => (commandPath('mariadbd', ...places) === undefined ? 'it is not installed' : undefined),
  prepare({ directory, port, certFile, keyFile, user }) {
    const data = join(directory, 'data')
    const install = commandPath('mariadb-install-db', ...places) ?? ''
    run(
      install,
      ['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--auth-root-authentication-method=normal'],
      user,
    )
    const statements = [
      `create user if not exists ${owner}@127.0.0.1`,
      `grant all on *.* to ${owner}@127.0.0.1 with grant option`,
      ...users.map(
        (name) => `create user if not exists ${name}@'%' identified via pam using 'rds' require ssl`,
      ),
      `create user if not exists ${passwordUser}@'%' identified by 'first' require ssl`,
      'create database if not exists shop character set utf8mb4',
      ...[...users, passwordUser].map((name) => `grant all on shop.* to ${name}@'%'`),
    ]
    const initFile = join(directory, 'init.sql')
    writeFileSync(initFile, `${statements.join(';\n')};\n`)
    const settings = {
      datadir: data,
      port,
      'bind-address': '127.0.0.1',
      // Within the data: paths of sockets are short.
      socket: 'mariadb.sock',
      'pid-file': join(data, 'mariadb.pid'),
      'ssl-cert': certFile,
      'ssl-key': keyFile,
      'plugin-load-add': 'auth_pam_v1.so',
      'pam-use-cleartext-plugin': 'ON',
      'init-file': initFile,
      'innodb-flush-log-at-trx-commit': 0,
      'innodb-fast-shutdown': 2,
      'max-connections': 50,
    }
    const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
    const flags = ['--no-defaults', '--skip-name-resolve']
    return { command: commandPath('mariadbd', ...places) ?? '', args: [...flags, ...args] }
  },
  async setUp(port) {
    const connection = await createConnection({ host: '127.0.0.1', port, user: owner })
    await connection.end()
  },
}
