// Runs a TypeScript program of this repository in Node: bundles it, then hands arguments, exit code and signals through.
// Stack traces name the sources.
//
// node scripts/run.mjs [node options…] FILE.ts [arguments…]
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { bundleProgram } from './bundle-program.mjs'

const args = process.argv.slice(2)
const at = args.findIndex(arg => !arg.startsWith('-'))
const file = args[at]
if (file === undefined) {
  console.error('usage: node scripts/run.mjs [node options…] FILE.ts [arguments…]')
  process.exit(2)
}

const output = await bundleProgram(file)
const child = spawn(process.execPath, ['--enable-source-maps', ...args.slice(0, at), output, ...args.slice(at + 1)], {
  stdio: 'inherit'
})
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => child.kill(signal))
}
child.on('exit', (code, signal) => {
  rmSync(output, { force: true })
  if (signal) {
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  } else {
    process.exit(code ?? 1)
  }
})
