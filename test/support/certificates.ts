import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate, and the file that a client has to trust. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

/** Why no certificates can be made here, if so. */
export function noCertificates(): string | undefined {
  return spawnSync('openssl', ['version']).status === 0 ? undefined : 'there is no openssl'
}

/** Makes a certificate for names (`DNS:name`) and addresses (`IP:address`), which is its own authority. */
export function makeCertificate(directory: string, name: string, ...subjects: string[]): Certificate {
  mkdirSync(directory, { recursive: true })
  const [certFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${subjects.join(',')}`]
  const args = ['req', '-x509', ...key, ...subject, '-days', '2', '-out', certFile]
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl has made no certificate: ${stderr}`)
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile }
}
