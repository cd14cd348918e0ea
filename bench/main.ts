// The entry of `npm run bench`. Progress goes to the standard error output, tables to the standard output.
import { readCommandLine } from '../scripts/command-line.mjs'
import { benchConnect } from './connect.ts'
import { benchDamaged } from './damaged.ts'
import { benchKernel } from './kernel.ts'
import { benchLarge } from './large.ts'
import { buildNativePeers } from './native-peers.ts'
import { benchOpfs } from './opfs.ts'
import { parseOptions, usage } from './options.ts'
import { benchPeers, benchRuntime, benchShapes } from './peers.ts'
import { didTask } from './task.ts'
import { benchTransactions } from './transactions.ts'

async function main(args: readonly string[]): Promise<void> {
  const given = readCommandLine(args, usage, parseOptions)
  if (given === undefined) return
  const { modes, options } = given
  if (modes.length === 0) process.stdout.write(usage)
  if (modes.some(mode => mode === 'peers' || mode === 'shapes' || mode === 'transactions')) buildNativePeers()
  for (const mode of modes) {
    if (mode === 'peers') await benchPeers(options)
    else if (mode === 'shapes') await benchShapes(options)
    else if (mode === 'runtime') await benchRuntime(options)
    else if (mode === 'transactions') await benchTransactions(options)
    else if (mode === 'connect') await benchConnect(options)
    else if (mode === 'opfs') await benchOpfs(options)
    else if (mode === 'large') await benchLarge(options)
    else if (mode === 'damaged') await benchDamaged(options)
    else for (const keys of options.keys) await benchKernel({ ...options, keys })
  }
}

// An interruption ends the program by `exit`, whose listeners remove what was put on the disk.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143]
] as const)
  process.on(signal, () => process.exit(code))

const args = process.argv.slice(2)
if (!(await didTask(args))) await main(args)
