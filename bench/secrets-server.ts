// Beside the measured processes, in one of its own: Parameter Store, Secrets Manager, and the extension that reads them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startAwsStandIn } from '../examples/shop/local/aws-stand-in.ts'

const aws = await startAwsStandIn()
aws.parameters.set('/shop/key', { versions: ['hunter2'], type: 'SecureString', labels: new Map() })

const extension = createServer(({ url = '', headers }, response) => {
  const name = new URL(url, 'http://localhost').searchParams.get('name') ?? ''
  const Value = aws.parameters.get(name)?.versions.at(-1)
  const isAllowed = headers['x-aws-parameters-secrets-token'] === process.env['AWS_SESSION_TOKEN']
  response.writeHead(Value === undefined || !isAllowed ? 400 : 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ Parameter: { Name: name, Type: 'SecureString', Value, Version: 1 } }))
})
extension.listen(0, 'localhost', () => {
  const { port } = extension.address() as AddressInfo
  process.send?.({ endpoint: aws.url, port })
})
process.once('disconnect', () => process.exit())
