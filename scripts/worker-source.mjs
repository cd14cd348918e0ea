// The rule for everything that bundles the library: `src/host/worker-source.ts` holds the owner's thread as one script.
// It is bundled on its own, for Node or for pages, and put in as a string.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { esbuildBrowserTwins } from './browser-twins.mjs'
import { esbuildTwins } from './javascript-twins.mjs'

const entry = join(dirname(fileURLToPath(import.meta.url)), '../src/host/worker.ts')
const place = /[\\/]src[\\/]host[\\/]worker-source\.ts$/

/**
 * @param {boolean} isForPages
 * @returns {Promise<string>} a module
 */
async function workerModule(isForPages) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: isForPages ? 'iife' : 'cjs',
    platform: isForPages ? 'browser' : 'node',
    target: 'es2022',
    plugins: isForPages ? [esbuildTwins, esbuildBrowserTwins] : [esbuildTwins],
    define: { PLANTED_BUG: '0' },
    logLevel: 'error'
  })
  return `export const workerSource = ${JSON.stringify(outputFiles[0]?.text ?? '')}\n`
}

/**
 * @param {boolean} isForPages
 * @returns {import('esbuild').Plugin}
 */
export const esbuildWorkerSource = isForPages => ({
  name: 'worker-source',
  setup(bundle) {
    bundle.onLoad({ filter: place }, async () => ({ contents: await workerModule(isForPages), loader: 'js' }))
  }
})

/**
 * For Rolldown and Vite.
 *
 * @param {boolean} isForPages
 */
export const rolldownWorkerSource = isForPages => ({
  name: 'worker-source',
  enforce: /** @type {const} */ ('pre'),
  /** @param {string} id */
  async load(id) {
    return place.test(id)
      ? { code: await workerModule(isForPages), moduleType: /** @type {const} */ ('js') }
      : undefined
  }
})
