// The rule for everything that bundles the library: `src/host/node-worker-source.ts` and `tab-worker-source.ts` hold the
// owner's thread as one script. It is bundled on its own and put in as a string.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { esbuildBrowserTwins } from './browser-twins.mjs'
import { esbuildTwins } from './javascript-twins.mjs'
import { esbuildOnePiece } from './one-piece.mjs'

const place = /[\\/]src[\\/]host[\\/](node|tab)-worker-source\.ts$/

/**
 * @param {string} path
 * @returns {Promise<string>} a module
 */
async function workerModule(path) {
  const isForTabs = place.exec(path)?.[1] === 'tab'
  const { outputFiles } = await build({
    entryPoints: [join(dirname(path), isForTabs ? 'tab-worker.ts' : 'node-worker.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: isForTabs ? 'iife' : 'cjs',
    platform: isForTabs ? 'browser' : 'node',
    target: 'es2022',
    plugins: isForTabs ? [esbuildTwins, esbuildBrowserTwins, esbuildOnePiece] : [esbuildTwins, esbuildOnePiece],
    define: { PLANTED_BUG: '0' },
    logLevel: 'error'
  })
  const text = await readFile(path, 'utf8')
  return text.replace("workerSource: string = ''", () => `workerSource = ${JSON.stringify(outputFiles[0]?.text ?? '')}`)
}

/** @type {import('esbuild').Plugin} */
export const esbuildWorkerSources = {
  name: 'worker-sources',
  setup(bundle) {
    bundle.onLoad({ filter: place }, async ({ path }) => ({ contents: await workerModule(path), loader: 'js' }))
  }
}

/** For Rolldown and Vite. */
export const rolldownWorkerSources = {
  name: 'worker-sources',
  enforce: /** @type {const} */ ('pre'),
  /** @param {string} id */
  async load(id) {
    return place.test(id) ? { code: await workerModule(id), moduleType: /** @type {const} */ ('js') } : undefined
  }
}
