import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { common, together } from '../../vitest.config.ts'

// One failure is enough: first what runs for milliseconds, last what compares thousands of inputs.
const quick =
  /test\/(?:events|web-socket\/web-socket|backends\/(?:dynamodb\/(?:plans|ranges|choices|wide-indexes)|sqs\/sender-outcomes)|http\/(?!chains|foreign|hono|middy|packed|parser|properties|response-cases)|records\/(?!batches|contract|freeze|powertools|properties|record-|redrive))/
const slow =
  /properties|backends\/tables|http\/(?:chains|foreign-errors|packed-bodies)|web-socket\/connections/

class QuickestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      quick.test(moduleId) ? 0 : slow.test(moduleId) ? 2 : 1
    return Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)))
  }
}

// What has to notice a changed operator in what is mutated: no engines of others, no processes, no browsers, and of the
// properties only those that take milliseconds.
export default defineConfig({
  ...common,
  test: {
    ...common.test,
    include: together,
    silent: true,
    // To count which change a test reaches makes the largest bodies slow.
    testTimeout: 60_000,
    sequence: { sequencer: QuickestFirst },
    // The modules of one file serve the next: what is mutated keeps no state of its own.
    isolate: false,
  },
})
