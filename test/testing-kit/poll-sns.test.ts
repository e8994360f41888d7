import { useSqs } from '../support/engines.ts'
import { snsDelivery } from '../support/sns-delivery.ts'

const sqs = useSqs()

snsDelivery(() => sqs.server.address)
