// The entry of `npm run torture`.
import { torture } from './runner/campaign.ts'
import { serveCases, workerFlag } from './runner/case-worker.ts'
import { trials } from './trials/index.ts'

const args = process.argv.slice(2)
if (args[0] === workerFlag) serveCases(trials, args[1])
else process.exitCode = await torture(trials, args)
