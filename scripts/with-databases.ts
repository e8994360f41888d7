// Runs the tests beside PostgreSQL and MariaDB, as far as they are installed. PAM verifies their users' tokens as RDS
// does, by a clock that the tests can set. A server that the tests end is started again.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeCertificate, noCertificates } from '../test/support/certificates.ts'
import { mariadb } from './databases/mariadb.ts'
import { postgres } from './databases/postgres.ts'
import type { DatabaseServer, Site } from './databases/server.ts'
import { end, freePort, untilReady } from './emulator.ts'

const place = resolve('.databases')
const pamDirectory = join(place, 'pam')
const clockFile = join(place, 'clock')
const endpoint = 'shop.c1.eu-central-1.rds.amazonaws.com'
const wrapper = globSync('/usr/lib/*/libpam_wrapper.so')[0]

/** Servers refuse to be root; nobody is somebody whom every system has. */
const isRoot = process.getuid?.() === 0
const user = isRoot ? { uid: 65534, gid: 65534 } : {}

/** Why no server can run here, if so. */
function commonObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'it verifies tokens with PAM, on Linux'
  if (wrapper === undefined) return 'libpam-wrapper is not installed'
  if (isRoot && spawnSync('test', ['-x', process.execPath], user).status !== 0)
    return 'others than root cannot read this directory'
  return noCertificates()
}

/** PAM asks a script of this project. */
function preparePam(ports: readonly number[]): void {
  mkdirSync(pamDirectory)
  writeFileSync(clockFile, '0')
  const script = join(place, 'verify-token')
  const words = [
    process.execPath,
    resolve('scripts/databases/verify-token.ts'),
    clockFile,
    endpoint,
    'eu-central-1',
    ...ports,
  ]
  writeFileSync(script, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')}\n`)
  chmodSync(script, 0o755)
  const service = [
    `auth required pam_exec.so expose_authtok quiet ${script}`,
    'account required pam_permit.so',
  ]
  writeFileSync(join(pamDirectory, 'rds'), `${service.join('\n')}\n`)
}

/** A server that is started again whenever it ends, until it is stopped. */
class Running {
  readonly server: DatabaseServer
  readonly site: Site
  #child: ChildProcess | undefined
  #isStopping = false

  constructor(server: DatabaseServer, site: Site) {
    this.server = server
    this.site = site
  }

  async start(): Promise<void> {
    const { command, args } = this.server.prepare(this.site)
    const begin = (): ChildProcess => {
      const child = spawn(command, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        cwd: this.site.directory,
        env: {
          PATH: process.env['PATH'],
          LD_PRELOAD: wrapper,
          PAM_WRAPPER: '1',
          PAM_WRAPPER_SERVICE_DIR: pamDirectory,
        },
        ...user,
      })
      child.stderr.on('data', (text) => {
        if (process.env['DATABASE_LOG'] !== undefined) process.stderr.write(String(text))
      })
      child.once('exit', () => {
        if (!this.#isStopping) this.#child = begin()
      })
      return child
    }
    this.#child = begin()
    await untilReady(this.#child, this.server.title, async () => {
      await this.server.setUp(this.site.port)
      return true
    })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    if (this.#child !== undefined) await end(this.#child, this.server.stopSignal)
  }
}

async function main(): Promise<number> {
  const running: Running[] = []
  const common = commonObstacle()
  rmSync(place, { recursive: true, force: true })
  for (const server of [postgres, mariadb]) {
    const obstacle = server.obstacle() ?? common
    if (obstacle !== undefined) {
      console.log(`The tests beside ${server.title} are skipped: ${obstacle}`)
      continue
    }
    const directory = join(place, server.engine)
    const certificate = makeCertificate(directory, 'server', `DNS:${endpoint}`)
    for (const path of [directory, certificate.keyFile]) {
      if (isRoot) chownSync(path, user.uid ?? 0, user.gid ?? 0)
    }
    running.push(
      new Running(server, { ...certificate, directory, port: await freePort(), pamDirectory, user }),
    )
  }
  if (running.length === 0) return 0
  preparePam(running.map(({ site }) => site.port))
  let tests: ChildProcess | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests?.kill(signal))
  try {
    await Promise.all(running.map((one) => one.start()))
    const databases = running.map(({ server, site }) => ({
      engine: server.engine,
      title: server.title,
      port: site.port,
      ca: site.certFile,
      pidFile: join(site.directory, 'data', server.engine === 'mysql' ? 'mariadb.pid' : 'postmaster.pid'),
      stopSignal: server.stopSignal,
    }))
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'databases']
    tests = spawn(process.execPath, [...vitest, ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: { ...process.env, DATABASES: JSON.stringify({ endpoint, clockFile, databases }) },
    })
    const [code] = (await once(tests, 'exit')) as [number | null]
    return code ?? 1
  } finally {
    await Promise.all(running.map((one) => one.stop()))
    if (existsSync(place)) rmSync(place, { recursive: true })
  }
}

process.exitCode = await main()
