import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { rolldownTwins } from './scripts/javascript-twins.mjs'
import { measuredKernel } from './scripts/measured-kernel.mjs'
import { rolldownWorkerSources } from './scripts/worker-sources.mjs'

/** Tests that start browsers and other runtimes. */
const elsewhere = ['test/browser/**', 'test/bundlers/**', 'test/playground/**', 'test/runtimes/**']

/**
 * What every mode but `runtimes` leaves out: the newer versions of Node, which differ least, and the conformance suite
 * through clients elsewhere than in this Node, which takes minutes.
 */
const long = ['test/runtimes/node-*.test.ts', 'test/runtimes/*-clients.test.ts', 'test/browser/*-clients.test.ts']

/** What is about the package as built, or about the kernel's WASM build alone: there is neither when coverage is measured. */
const built = ['test/house/package.test.ts', 'test/trials/memory.test.ts']

/** What a mode leaves out. */
const leftOut: Readonly<Record<string, readonly string[]>> = {
  runtimes: [],
  quick: elsewhere,
  coverage: [...elsewhere, ...built]
}

/** Minutes long: they begin with the tests of a process of their own, so that both processors have work until the end. */
const conformance = ['test/{db,host}/{memory,node}.test.ts']

/**
 * Tests that replace modules or globals, which others would see. The rest share two processes: loading the engine anew
 * took half a second for each file.
 */
const replacing = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map(name => `test/${name.replaceAll('\\', '/')}`)
  .filter(name => name.endsWith('.test.ts'))
  .filter(name => /\bvi\.(?:mock|doMock|resetModules|stubGlobal|stubEnv)\(/.test(readFileSync(name, 'utf8')))

// `--mode coverage` (npm run coverage) runs the kernel's JavaScript build in place of its WASM build.
export default defineConfig(({ mode }) => ({
  plugins: [rolldownTwins, rolldownWorkerSources, ...(mode === 'coverage' ? [measuredKernel] : [])],
  define: { PLANTED_BUG: process.env.PLANTED_BUG ?? '0' },
  oxc: { target: 'node20' },
  test: {
    environment: 'node',
    projects: [
      {
        extends: true,
        test: {
          name: 'own process',
          include: [...replacing, ...conformance, ...elsewhere.map(folder => `${folder}/*.test.ts`)],
          exclude: ['**/node_modules/**', ...(leftOut[mode] ?? long)]
        }
      },
      {
        extends: true,
        test: {
          name: 'shared process',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...replacing, ...conformance, ...elsewhere, ...(leftOut[mode] ?? long)]
        }
      }
    ],
    env: { ALL_BUNDLERS: mode === 'runtimes' ? 'yes' : '' },
    pool: 'forks',
    maxWorkers: 2,
    // A hang never ends; a loaded machine is only slow.
    testTimeout: 60_000,
    restoreMocks: true,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'assembly/**/*.ts'],
      exclude: [
        '**/*.d.ts',
        'assembly/index.ts',
        'assembly/platform.ts',
        'assembly/wide.ts',
        'src/kernel/generated/wasm.ts'
      ],
      excludeAfterRemap: true,
      reporter: ['text-summary', 'text', 'html', 'json-summary']
    }
  }
}))
