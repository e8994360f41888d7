// What a write came to is told truly (M1) by AWS's own engine, transactions included.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { toldOnDynamoDb } from '../../support/told-engines.ts'
import { toldTruly } from '../../support/told-writes.ts'

const client = new DynamoDBClient({ endpoint: process.env['DYNAMODB_LOCAL_ENDPOINT'] as string })

toldTruly(toldOnDynamoDb(() => client, { name: 'DynamoDB Local', hasTransactions: true }))
