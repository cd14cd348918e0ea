// The entry of `npm run fuzz`.
import { targets } from './targets/index.ts'
import { fuzzAll } from './fuzzer/campaign.ts'
import { parseFuzzOptions } from './fuzzer/options.ts'

process.exitCode = await fuzzAll(parseFuzzOptions(process.argv.slice(2), targets))
