import { App } from 'aws-cdk-lib'
import { ShopStack } from './shop-stack.ts'

const app = new App({ outdir: 'cdk.out' })
new ShopStack(app, 'Shop')
app.synth()
