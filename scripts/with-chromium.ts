// Runs the browser's tests, where there is a Chromium.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const CHROMIUM = process.env['CHROMIUM'] ?? known.find((path) => existsSync(path))

if (CHROMIUM === undefined) {
  process.stdout.write(
    'The tests in a browser are skipped: there is no Chromium here (set CHROMIUM to its path).\n',
  )
} else {
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', 'browser', ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, CHROMIUM } },
  )
  process.exitCode = status ?? 1
}
