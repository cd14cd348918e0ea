// The rule for everything that reads the kernel's sources as ordinary TypeScript: `./NAME` is `NAME.jsbuild.ts` where
// there is one. `NAME.ts` beside it is for the AssemblyScript compiler only.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * @param {string} path as imported
 * @param {string} folder of the importing file
 */
function twinOf(path, folder) {
  const twin = join(folder, `${path}.jsbuild.ts`)
  return existsSync(twin) ? twin : undefined
}

const local = /^\.\/[\w-]+$/

/** @type {import('esbuild').Plugin} */
export const esbuildTwins = {
  name: 'javascript-twins',
  setup(build) {
    build.onResolve({ filter: local }, ({ path, resolveDir }) => {
      const twin = twinOf(path, resolveDir)
      return twin ? { path: twin } : undefined
    })
  }
}

/** For Rolldown and Vite. */
export const rolldownTwins = {
  name: 'javascript-twins',
  enforce: /** @type {const} */ ('pre'),
  /**
   * @param {string} path
   * @param {string | undefined} importer
   */
  resolveId(path, importer) {
    return importer && local.test(path) ? twinOf(path, dirname(importer)) : undefined
  }
}
