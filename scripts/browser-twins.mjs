// The rule for what is built for browsers: `./NAME.ts` is `./NAME.browser.ts` where there is one. So nothing of Node gets
// into a page's bundle, not even behind an import that is never reached: some bundlers stop at those.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * @param {string} path as imported
 * @param {string} folder of the importing file
 */
function twinOf(path, folder) {
  const twin = join(folder, path.replace(/\.ts$/, '.browser.ts'))
  return existsSync(twin) ? twin : undefined
}

const local = /^\.\.?\/.*\.ts$/

/** @type {import('esbuild').Plugin} */
export const esbuildBrowserTwins = {
  name: 'browser-twins',
  setup(build) {
    build.onResolve({ filter: local }, ({ path, resolveDir }) => {
      const twin = twinOf(path, resolveDir)
      return twin ? { path: twin } : undefined
    })
  }
}

/** For Rolldown and Vite. */
export const rolldownBrowserTwins = {
  name: 'browser-twins',
  enforce: /** @type {const} */ ('pre'),
  /**
   * @param {string} path
   * @param {string | undefined} importer
   */
  resolveId(path, importer) {
    return importer && local.test(path) ? twinOf(path, dirname(importer)) : undefined
  }
}
