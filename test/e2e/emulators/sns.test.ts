// From a topic to the function, beside moto. The ordinary suite has the same beside fauxqs.
import { snsDelivery } from '../../support/sns-delivery.ts'

snsDelivery(() => process.env['MOTO_ENDPOINT'] as string)
