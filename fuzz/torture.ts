// The entry of `npm run torture`.
import { runAll } from './runner/campaign.ts'
import { parseOptions } from './runner/options.ts'
import { serveCases, workerFlag } from './runner/case-worker.ts'
import { trials } from './trials/index.ts'

const args = process.argv.slice(2)
if (args[0] === workerFlag) serveCases(trials, args[1])
else process.exitCode = await runAll(trials, parseOptions(args, trials))
