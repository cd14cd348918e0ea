import { mkdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { esbuildTwins } from './javascript-twins.mjs'
import { esbuildWorkerSources } from './worker-sources.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Bundles a TypeScript program of this repository for Node; packages stay outside.
 * @param {string} file
 * @returns {Promise<string>} the bundle's path. It lies under the repository, so that the program finds the packages, and
 *   has a name of its own for each program and process, so that two runs do not overwrite each other's.
 */
export async function bundleProgram(file) {
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
  return output
}
