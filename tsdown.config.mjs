import { defineConfig } from 'tsdown'
import { browserChunks } from './scripts/browser-chunks.mjs'
import { rolldownBrowserTwins } from './scripts/browser-twins.mjs'
import { rolldownTwins } from './scripts/javascript-twins.mjs'
import { rolldownOnePiece } from './scripts/one-piece.mjs'
import { rolldownWorkerSources } from './scripts/worker-sources.mjs'

/** @type {import('tsdown').UserConfig} */
const everywhere = {
  entry: { index: 'src/index.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  sourcemap: true,
  clean: true,
  inputOptions: { checks: { pluginTimings: false } },
  fixedExtension: false,
  define: { PLANTED_BUG: '0' }
}

/**
 * Constants stand where they are used: their names would go from file to file, and minifiers would not compute with
 * them.
 *
 * @type {import('rolldown').InputOptions['optimization']}
 */
const optimization = { inlineConst: { mode: 'all', pass: 3 } }

export default defineConfig([
  {
    ...everywhere,
    outDir: 'dist',
    dts: true,
    // Programs that know of no `using` have types of it all the same, which ours refer to.
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
    plugins: [rolldownTwins, rolldownOnePiece, rolldownWorkerSources],
    deps: { neverBundle: [/^node:/] },
    copy: ['build/kernel/kernel.wasm']
  },
  // For pages: nothing of Node in it, and nothing to be resolved, so that it also runs without any bundler. In several
  // files, for bundlers leave out whole files only: a page that connects has no use for the engine. Minified here, so that
  // pages without a bundler load little too; what bundlers minify once more gets smaller by what theirs does not see.
  {
    ...everywhere,
    entry: {
      index: 'src/index.ts',
      open: 'src/db/open.ts',
      connect: 'src/host/connect.ts',
      restore: 'src/host/restore.ts',
      repair: 'src/host/repair.ts',
      destroy: 'src/db/destroy.ts'
    },
    outDir: 'dist/browser',
    dts: false,
    minify: true,
    inputOptions: { ...everywhere.inputOptions, preserveEntrySignatures: 'allow-extension', optimization },
    outputOptions: { codeSplitting: browserChunks },
    plugins: [rolldownTwins, rolldownBrowserTwins, rolldownWorkerSources],
    deps: { alwaysBundle: ['@assemblyscript/loader'], onlyBundle: false }
  },
  // The worker of connect() in one piece, for pages that name it because their policy forbids one made from a text.
  {
    ...everywhere,
    entry: { worker: 'src/host/tab-worker.ts' },
    outDir: 'dist/browser',
    dts: false,
    minify: true,
    sourcemap: false,
    clean: false,
    inputOptions: { ...everywhere.inputOptions, optimization },
    outputOptions: { codeSplitting: false },
    plugins: [rolldownTwins, rolldownBrowserTwins, rolldownOnePiece, rolldownWorkerSources],
    deps: { alwaysBundle: ['@assemblyscript/loader'], onlyBundle: false }
  }
])
