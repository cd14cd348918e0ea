// Bundles the fuzzing worker with counters in the library and in the kernel's JavaScript build.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { esbuildTwins } from '../../scripts/javascript-twins.mjs'
import { coverageBanner } from './coverage.ts'
import { type CounterNumbers, instrument } from './instrument.ts'

/** A bundle that can be run by any number of processes. */
export interface FuzzBundle {
  readonly path: string
  /** How many counters stand in it. */
  readonly counters: number
}

/** Bundles `fuzz/fuzzer/worker.ts` under `root`, the project's folder. */
export async function bundleWorker(root: string): Promise<FuzzBundle> {
  const folder = join(root, '.cache/fuzz')
  mkdirSync(folder, { recursive: true })
  // The name is that of the process: a running bundle must not be overwritten by another run.
  const path = join(folder, `worker-${process.pid}.mjs`)
  const numbers: CounterNumbers = { next: 0 }
  await build({
    entryPoints: [join(root, 'fuzz/fuzzer/worker.ts')],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    plugins: [esbuildTwins, counting(numbers)],
    define: { PLANTED_BUG: '0' },
    banner: { js: coverageBanner },
    logLevel: 'warning'
  })
  return { path, counters: numbers.next }
}

const counted = /[\\/]src[\\/].*\.ts$/
/** Nothing but the module as text. */
const notCounted = /generated[\\/]wasm\.ts$/

function counting(numbers: CounterNumbers): Plugin {
  return {
    name: 'counting',
    setup({ onLoad }) {
      onLoad({ filter: counted }, ({ path }) => {
        if (notCounted.test(path)) return undefined
        return { contents: instrument(readFileSync(path, 'utf8'), numbers), loader: 'ts' }
      })
    }
  }
}
