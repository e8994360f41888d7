import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const page = readFileSync('docs/light-client.md', 'utf8').replace(/\s+/g, ' ')

it.each([
  ['T44', 'HTTP_PROXY'],
  ['T44', 'NODE_USE_ENV_PROXY'],
  ['T25', 'AWS_RETRY_MODE'],
  ['T25', 'AWS_MAX_ATTEMPTS'],
  ['T32', 'AWS_PROFILE'],
  ['T50', 'AWS_USE_FIPS_ENDPOINT'],
  ['T50', 'AWS_USE_DUALSTACK_ENDPOINT'],
  ['T50', 'AWS_ACCOUNT_ID_ENDPOINT_MODE'],
  ['T57', '@aws-sdk/credential-provider-node'],
  ['T57', 'numbers of seconds'],
  ['T57', 'middleware stack'],
  ['T57', 'standard mode'],
])('T44, T57: the page of the light client tells what belongs to %s: %s', (_, words) => {
  expect(page).toContain(words)
})
