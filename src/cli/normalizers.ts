import { alb } from '../normalizers/alb.ts'
import { dynamodbStream } from '../normalizers/dynamodb-stream.ts'
import { eventBridge } from '../normalizers/event-bridge.ts'
import { firehose } from '../normalizers/firehose.ts'
import { httpApi } from '../normalizers/http-api.ts'
import { invocation } from '../normalizers/invocation.ts'
import { kafka } from '../normalizers/kafka.ts'
import { kinesis } from '../normalizers/kinesis.ts'
import { logs } from '../normalizers/logs.ts'
import { restApi } from '../normalizers/rest-api.ts'
import { s3 } from '../normalizers/s3.ts'
import { sns } from '../normalizers/sns.ts'
import { sqs } from '../normalizers/sqs.ts'
import { vpcLattice } from '../normalizers/vpc-lattice.ts'
import { webSocket } from '../normalizers/web-socket.ts'

/** A normalizer, as far as this needs it. */
interface Normalizer {
  readonly before?: (request: never) => unknown
}

/** The normalizers of events that come as JSON, by their names in the table of sources. */
export const normalizers: Readonly<Record<string, () => Normalizer>> = {
  ...{
    alb,
    dynamodbStream,
    eventBridge,
    firehose,
    httpApi,
    invocation,
    kafka,
    kinesis,
    logs,
    restApi,
    s3,
    sns,
    sqs,
  },
  ...{ vpcLattice, webSocket },
}
