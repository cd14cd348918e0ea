// How each bundler is asked to bundle a page with a worker, in the ways that their manuals show.
import { copyFile, cp } from 'node:fs/promises'
import { join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { rollup } from 'rollup'
import { build as vite } from 'vite'
import webpack from 'webpack'
import { pageMarkup, pageScript, type Variant, workerScript } from './app.ts'
import type { Project } from './packed.ts'

/** A way to get from sources to something that a static server can serve. */
export interface Bundler {
  readonly name: string
  /** Bundles the page into the directory that it returns. `external`: kernel and owner are files of their own. */
  bundle(project: Project, external: boolean): Promise<string>
}

const inside: Variant = { kernel: 'const kernel = undefined', owner: 'const owner = undefined' }

const viteBundler: Bundler = {
  name: 'Vite',
  async bundle(project, external) {
    const root = await source(project, `vite-${external}`, {
      kernel: external ? "import kernel from 'lightning-db/kernel.wasm?url'" : inside.kernel,
      owner: external ? "import owner from 'lightning-db/worker?url'" : inside.owner
    })
    await vite({
      root,
      configFile: false,
      logLevel: 'warn',
      // (Its default, iife, has no top-level await, which the worker uses.)
      worker: { format: 'es' },
      build: { outDir: 'out', target: 'es2022', chunkSizeWarningLimit: 2_000 }
    })
    return join(root, 'out')
  }
}

const webpackBundler: Bundler = {
  name: 'webpack',
  async bundle(project, external) {
    const root = await source(project, `webpack-${external}`, {
      kernel: external ? "const kernel = new URL('lightning-db/kernel.wasm', import.meta.url)" : inside.kernel,
      owner: external ? "const owner = new URL('lightning-db/worker', import.meta.url)" : inside.owner
    })
    const complaints = await new Promise<string | undefined>((resolve, reject) => {
      const options: webpack.Configuration = {
        mode: 'production',
        context: root,
        entry: './page.js',
        output: { path: join(root, 'out'), filename: 'page.js', publicPath: 'auto' },
        // Its minifier takes most of a minute and changes nothing here.
        optimization: { minimize: false },
        performance: false
      }
      webpack(options, (error, result) => {
        if (error) reject(error)
        else resolve(result?.hasErrors() || result?.hasWarnings() ? result.toString('errors-warnings') : undefined)
      })
    })
    if (complaints !== undefined) throw new Error(complaints)
    return await withPage(root)
  }
}

const esbuildBundler: Bundler = {
  name: 'esbuild',
  async bundle(project, external) {
    // It does not follow `new URL`, and gives the address of a file from where the page is.
    const root = await source(project, `esbuild-${external}`, {
      kernel: external
        ? "import path from 'lightning-db/kernel.wasm'; const kernel = new URL(path, location.href)"
        : inside.kernel,
      owner: external ? "const owner = './owner.js'" : inside.owner,
      worker: "'./worker.js'"
    })
    await esbuild({
      entryPoints: [join(root, 'page.js'), join(root, 'worker.js')],
      bundle: true,
      minify: true,
      splitting: true,
      format: 'esm',
      loader: { '.wasm': 'file' },
      outdir: join(root, 'out'),
      logLevel: 'warning'
    })
    await copyFile(join(installed(project), 'browser/worker.js'), join(root, 'out/owner.js'))
    return await withPage(root)
  }
}

const rollupBundler: Bundler = {
  name: 'Rollup',
  async bundle(project, external) {
    const root = await source(project, `rollup-${external}`, {
      kernel: external ? "const kernel = new URL('./kernel.wasm', import.meta.url)" : inside.kernel,
      owner: external ? "const owner = new URL('./owner.js', import.meta.url)" : inside.owner
    })
    const entry = join(installed(project), 'browser/index.js')
    const bundle = await rollup({
      input: [join(root, 'page.js'), join(root, 'worker.js')],
      // (What @rollup/plugin-node-resolve does, for the one package that is here.)
      plugins: [{ name: 'resolve', resolveId: name => (name === 'lightning-db' ? entry : null) }],
      onwarn(warning) {
        throw new Error(warning.message)
      }
    })
    await bundle.write({ dir: join(root, 'out'), format: 'es' })
    await bundle.close()
    await copyFile(join(installed(project), 'kernel.wasm'), join(root, 'out/kernel.wasm'))
    await copyFile(join(installed(project), 'browser/worker.js'), join(root, 'out/owner.js'))
    return await withPage(root)
  }
}

const noBundler: Bundler = {
  name: 'no bundler',
  async bundle(project, external) {
    const root = await source(project, `none-${external}`, {
      kernel: external ? "const kernel = new URL('./lightning-db/kernel.wasm', import.meta.url)" : inside.kernel,
      owner: external ? "const owner = new URL('./lightning-db/browser/worker.js', import.meta.url)" : inside.owner,
      packageName: './lightning-db/browser/index.js'
    })
    await cp(installed(project), join(root, 'lightning-db'), { recursive: true })
    return root
  }
}

export const bundlers: readonly Bundler[] = [viteBundler, webpackBundler, esbuildBundler, rollupBundler, noBundler]

async function source(project: Project, folder: string, variant: Variant): Promise<string> {
  await project.write(`${folder}/index.html`, pageMarkup)
  await project.write(`${folder}/page.js`, pageScript(variant))
  await project.write(`${folder}/worker.js`, workerScript(variant))
  return join(project.directory, folder)
}

async function withPage(root: string): Promise<string> {
  await copyFile(join(root, 'index.html'), join(root, 'out/index.html'))
  return join(root, 'out')
}

function installed(project: Project): string {
  return join(project.directory, 'node_modules/lightning-db/dist')
}
