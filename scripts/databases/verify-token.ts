// Run by PAM for each login: PAM_USER wants in, and the token comes on standard input. Ends with 0 to let it in.
import { readFileSync } from 'node:fs'
import { readIamToken } from '../../test/support/iam-token.ts'

const [clockFile = '', endpoint = '', region = '', ...ports] = process.argv.slice(2)
const now = Date.now() + Number(readFileSync(clockFile, 'utf8')) * 1000
const token = readIamToken(readFileSync(0, 'utf8').replace(/\0.*$/s, ''), 'test')
const isGood =
  token.isGenuine &&
  token.action === 'connect' &&
  token.service === 'rds-db' &&
  token.host === endpoint &&
  ports.includes(String(token.port)) &&
  token.user === process.env['PAM_USER'] &&
  token.accessKeyId === 'test' &&
  token.region === region &&
  token.expires === 900 &&
  now >= token.signedAt - 60_000 &&
  now <= token.signedAt + token.expires * 1000
process.exitCode = isGood ? 0 : 1
