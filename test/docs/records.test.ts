// What users of other batch utilities look for in the pages.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('R27: docs/sqs.md has a sample for a large batch, for the traces of a record and for its tests', () => {
  const sections = readFileSync('docs/sqs.md', 'utf8').split(/^## /m)
  for (const title of ['Ten thousand records', 'Logs and traces of a record', 'Tests of a record']) {
    const section = sections.find((text) => text.startsWith(`${title}\n`))
    expect(section, title).toMatch(/```ts\n[^]+?eachRecord|```ts\n[^]+?currentInvocation/)
  }
})
