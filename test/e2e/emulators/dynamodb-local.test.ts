// What a write came to is told truly (M1) by AWS's own engine, transactions included.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { it } from 'vitest'
import { toldOnDynamoDb } from '../../support/told-engines.ts'
import { toldTruly } from '../../support/told-writes.ts'

const client = new DynamoDBClient({ endpoint: process.env['DYNAMODB_LOCAL_ENDPOINT'] as string })

// The suites beside emulators run once with each client. This one has a client of its own.
if (process.env['AWS_CLIENT'] === 'light') it.skip('M1: the faults are those of the run with the SDK')
else toldTruly(toldOnDynamoDb(() => client, { name: 'DynamoDB Local', hasTransactions: true }))
