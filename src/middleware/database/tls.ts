import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import tls from 'node:tls'
import { ConfigurationError } from '../../errors/index.ts'

/**
 * RDS's certificates on Lambda, which Node does not load by itself from version 20 on.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 */
const lambdaBundle = '/var/runtime/ca-cert.pem'

/** What a connection needs for TLS. Made once per pool: a bundle of RDS has a hundred certificates. */
export interface Trust {
  readonly ca: string[]
  readonly secureContext: tls.SecureContext
}

/**
 * Trusts what Node trusts, for RDS Proxy and Aurora DSQL have public certificates, and the bundle.
 *
 * @throws ConfigurationError for a bundle that is missing or has no certificate: Node would take it silently
 */
export function trust(file: string | undefined): Trust {
  const bundle = file ?? (existsSync(lambdaBundle) ? lambdaBundle : undefined)
  const ca = [...known(), ...(bundle === undefined ? [] : certificatesOf(bundle))]
  return { ca, secureContext: tls.createSecureContext({ ca, minVersion: 'TLSv1.2' }) }
}

/** Node's own, and those of NODE_EXTRA_CA_CERTS, which the first versions of Node 22 do not tell. */
function known(): readonly string[] {
  const { getCACertificates } = tls as Partial<typeof tls>
  return getCACertificates?.('default') ?? tls.rootCertificates
}

function certificatesOf(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError(`The certificate bundle ${file} cannot be read (ssl_ca_bundle_filename)`, {
      cause,
    })
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (certificates.length === 0)
    throw new ConfigurationError(`The certificate bundle ${file} holds no certificate in PEM form`)
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate)
    } catch (cause) {
      throw new ConfigurationError(`Certificate ${index + 1} of the bundle ${file} is damaged`, { cause })
    }
  }
  return certificates
}
