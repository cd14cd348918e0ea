// Runs a TypeScript program of this repository in Node: bundles it with esbuild (packages stay outside), then hands
// arguments, exit code and signals through. Stack traces name the sources.
//
// node scripts/run.mjs [node options…] FILE.ts [arguments…]
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { esbuildTwins } from './javascript-twins.mjs'
import { esbuildWorkerSources } from './worker-sources.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const args = process.argv.slice(2)
const at = args.findIndex(arg => !arg.startsWith('-'))
const file = args[at]
if (file === undefined) {
  console.error('usage: node scripts/run.mjs [node options…] FILE.ts [arguments…]')
  process.exit(2)
}

// Under the repository, so that the program finds the packages; one file per program and process, so that two runs of
// it do not overwrite each other's.
const name = relative(root, resolve(file)).replaceAll(/[^\w.-]+/g, '-')
const folder = join(root, '.cache/run')
const output = join(folder, `${name}-${process.pid}.mjs`)
mkdirSync(folder, { recursive: true })
await build({
  entryPoints: [resolve(file)],
  outfile: output,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  plugins: [esbuildTwins, esbuildWorkerSources],
  define: { PLANTED_BUG: '0' },
  logLevel: 'warning'
})

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
