// The rule for everything that bundles the library: `src/host/node-worker-source.ts` and `tab-worker-source.ts` hold the
// owner's thread as one script. It is bundled on its own and put in as a string. For tabs the kernel's JavaScript build is
// a script of its own, `tab-kernel-source.ts`, which the page puts before the other where WebAssembly is forbidden.
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { build } from 'esbuild'
import { esbuildBrowserTwins } from './browser-twins.mjs'
import { esbuildTwins } from './javascript-twins.mjs'
import { esbuildOnePiece } from './one-piece.mjs'

const place = /[\\/]src[\\/]host[\\/]((?:node|tab)-worker|tab-kernel)-source\.ts$/
const javaScriptKernel = /[\\/]src[\\/]kernel[\\/]generated[\\/]javascript\.ts$/

/** Where the kernel's script leaves its function for the owner's. */
const global = 'globalThis.lightningJavaScriptKernel'

/** @type {import('esbuild').Plugin} */
const javaScriptKernelApart = {
  name: 'javascript-kernel-apart',
  setup(bundle) {
    const contents = `
      if (!${global}) throw new Error('The kernel as JavaScript was left out, for WebAssembly was allowed in the page.')
      export const createJavaScriptKernel = ${global}
    `
    bundle.onLoad({ filter: javaScriptKernel }, () => ({ contents, loader: 'js' }))
  }
}

/** @type {Record<string, import('esbuild').BuildOptions>} */
const scripts = {
  'node-worker': {
    entryPoints: ['node-worker.ts'],
    format: 'cjs',
    platform: 'node',
    plugins: [esbuildTwins, esbuildOnePiece]
  },
  'tab-worker': {
    entryPoints: ['tab-worker.ts'],
    format: 'iife',
    platform: 'browser',
    plugins: [esbuildTwins, esbuildBrowserTwins, esbuildOnePiece, javaScriptKernelApart]
  },
  'tab-kernel': {
    stdin: {
      contents: `import { createJavaScriptKernel } from '../kernel/generated/javascript.ts'\n${global} = createJavaScriptKernel`
    },
    format: 'iife',
    platform: 'browser'
  }
}

/**
 * @param {string} path
 * @returns {Promise<string>} a module
 */
async function workerModule(path) {
  const { stdin, ...options } = scripts[place.exec(path)?.[1] ?? ''] ?? {}
  const folder = dirname(path)
  const { outputFiles } = await build({
    ...options,
    ...(stdin === undefined ? {} : { stdin: { ...stdin, resolveDir: folder } }),
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    write: false,
    target: 'es2022',
    define: { PLANTED_BUG: '0' },
    logLevel: 'error'
  })
  const text = await readFile(path, 'utf8')
  return text.replace("Source: string = ''", () => `Source = ${JSON.stringify(outputFiles?.[0]?.text ?? '')}`)
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
