import { partition } from '@aws-sdk/core/client'
import { snsEvent, sqsEvent, lambdaContext } from 'clearskies-middy/testing'
import { afterEach, expect, it, vi } from 'vitest'
import { sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
import { serviceHost } from '../../src/wire/partitions.ts'

afterEach(() => vi.unstubAllEnvs())

const addressOf = (queueArn: string): string | undefined =>
  sqsBatch(sqsEvent([{ body: 1 }], { queueArn }), lambdaContext()).requests[0]?.queueUrl

/** One region of each partition that the SDK knows, and one that it does not list. */
const regions = [
  ...['us-east-1', 'eu-central-1', 'ap-southeast-7', 'mx-central-1', 'xx-nowhere-9'],
  ...['cn-north-1', 'cn-northwest-1', 'cn-south-3', 'eusc-de-east-1', 'eusc-de-west-2'],
  ...['us-iso-east-1', 'us-iso-west-1', 'us-isob-east-1', 'us-isob-west-1', 'eu-isoe-west-1'],
  ...['us-isof-south-1', 'us-isof-east-1', 'us-gov-west-1', 'us-gov-east-1'],
]

it.each(regions)('R11: the address of a queue in %s has the domain that the AWS SDK knows', (region) => {
  const { name, dnsSuffix } = partition(region)
  expect(addressOf(`arn:${name}:sqs:${region}:1:q`)).toBe(`https://sqs.${region}.${dnsSuffix}/1/q`)
  expect(serviceHost('ssm', region)).toBe(`ssm.${region}.${dnsSuffix}`)
  const [record] = snsEvent([{ message: '' }], { topicArn: `arn:${name}:sns:${region}:1:t` }).Records
  expect(record?.Sns.UnsubscribeUrl).toContain(`https://sns.${region}.${dnsSuffix}/`)
})

it.each([
  ['arn:aws-cn:sqs:new-region-1:1:q', 'https://sqs.new-region-1.amazonaws.com.cn/1/q'],
  ['arn:aws-new:sqs:eusc-de-east-1:1:q', 'https://sqs.eusc-de-east-1.amazonaws.eu/1/q'],
  ['arn:toString:sqs:eu-west-1:1:q', 'https://sqs.eu-west-1.amazonaws.com/1/q'],
])('R11: the partition of an ARN counts before its region: %s', (arn, url) => {
  expect(addressOf(arn)).toBe(url)
})
