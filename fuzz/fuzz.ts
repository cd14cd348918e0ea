// The entry of `npm run fuzz`.
import { readCommandLine } from '../scripts/command-line.mjs'
import { targets } from './targets/index.ts'
import { fuzzAll } from './fuzzer/campaign.ts'
import { parseFuzzOptions, usageOf } from './fuzzer/options.ts'

const options = readCommandLine(process.argv.slice(2), usageOf(targets), args => parseFuzzOptions(args, targets))
if (options !== undefined) process.exitCode = await fuzzAll(options)
