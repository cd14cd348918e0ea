// Builds the kernel twice from the same sources in assembly/: as WebAssembly by the AssemblyScript compiler and as
// JavaScript by esbuild. Without --out it refreshes what the library imports:
//
//   build/kernel/kernel.wasm                 the module itself
//   src/kernel/generated/wasm.ts             the module as base64
//   src/kernel/generated/packed-wasm.ts      the same, deflated before: base64 hides from gzip what repeats; by Zopfli,
//                                            which takes a second to find a form that is 6 % smaller than zlib's
//   src/kernel/generated/mark.ts             the name of a function that only this build exports
//   src/kernel/generated/javascript.ts       the JavaScript build, a fresh instance at every call
//
// node scripts/build-kernel.mjs [--force] [--use NAME=value]… [--out DIRECTORY]
//
// Every build of the same sources exports a function that is named after them and does nothing: a module of another
// version has the same functions as a rule, and other places for its state.
//
// With --out the same kernel, with other build-time constants, goes to DIRECTORY/kernel.wasm and DIRECTORY/kernel.mjs.
// It does nothing when neither sources nor constants have changed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { esbuildTwins } from './javascript-twins.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)

/** Constants of `assembly/builtins.d.ts` and what they are in the library's own build; `npm run planted` sets another. */
const constants = { PLANTED_BUG: process.env.PLANTED_BUG ?? '0' }

/**
 * @typedef {object} KernelBuild
 * @property {boolean} built false when everything was up to date
 * @property {string} wasm path of the module
 * @property {string} javascript path of the JavaScript build
 */

/**
 * @param {{ use?: Record<string, string>, out?: string, force?: boolean }} [options]
 * @returns {Promise<KernelBuild>}
 */
async function buildKernel({ use = {}, out, force = false } = {}) {
  const values = { ...constants, ...use }
  const outputs = out
    ? { wasm: join(resolve(out), 'kernel.wasm'), javascript: join(resolve(out), 'kernel.mjs') }
    : { wasm: join(root, 'build/kernel/kernel.wasm'), javascript: join(root, 'src/kernel/generated/javascript.ts') }
  const inlined = out ? undefined : join(root, 'src/kernel/generated/wasm.ts')
  const packed = out ? undefined : join(root, 'src/kernel/generated/packed-wasm.ts')
  const marked = out ? undefined : join(root, 'src/kernel/generated/mark.ts')
  const stamp = join(dirname(outputs.wasm), 'stamp')

  const fingerprint = sourceFingerprint(values)
  const files = [outputs.wasm, outputs.javascript, inlined, packed, marked].filter(path => path !== undefined)
  if (!force && files.every(existsSync) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) {
    return { built: false, ...outputs }
  }

  const wasm = await compileWasm(values)
  const javascript = await bundleJavaScript(values, { typed: !out })
  write(outputs.wasm, wasm)
  write(outputs.javascript, javascript)
  if (inlined) write(inlined, inlinedModule(wasm))
  if (packed) write(packed, await packedModule(wasm))
  if (marked) write(marked, markModule())
  write(stamp, fingerprint)
  return { built: true, ...outputs }
}

/**
 * The JavaScript build as the text of a module that exports `createJavaScriptKernel()`.
 * @param {Record<string, string>} [values]
 * @param {{ typed?: boolean, sourcemap?: boolean }} [options]
 */
export async function bundleJavaScript(values = constants, { typed = false, sourcemap = false } = {}) {
  const esbuild = await import('esbuild')
  const result = await esbuild.build({
    absWorkingDir: root,
    stdin: {
      contents: "export * from './index'\nexport { attach, currentMemory } from './platform'\n",
      resolveDir: join(root, 'assembly'),
      sourcefile: 'javascript-kernel.ts',
      loader: 'ts'
    },
    outfile: join(root, 'src/kernel/generated/javascript.js'),
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'kernel',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: sourcemap ? 'inline' : false,
    define: values,
    banner: { js: opening(typed) },
    // The spread turns esbuild's getters into plain properties, which calls go through much faster.
    footer: { js: `return { ...kernel, ${mark()}() {} }\n}` },
    plugins: [esbuildTwins]
  })
  const [file] = result.outputFiles
  if (!file) throw new Error('esbuild wrote no JavaScript kernel')
  return file.text
}

/** @param {boolean} typed */
function opening(typed) {
  if (!typed) return 'export function createJavaScriptKernel() {'
  return [
    '// @ts-nocheck: generated by scripts/build-kernel.mjs from assembly/; its sources are checked there.',
    "import type { JavaScriptKernel } from '../exports.ts'",
    '',
    'export function createJavaScriptKernel(): JavaScriptKernel {'
  ].join('\n')
}

const markFile = 'assembly/mark.ts'

/** Name of the function that says which sources a module was built from. */
function mark() {
  return `sources${sourceFingerprint({}).slice(0, 8)}`
}

/** @param {Record<string, string>} values */
async function compileWasm(values) {
  const { default: asc } = await import('assemblyscript/asc')
  /** @type {Map<string, Uint8Array | string>} */
  const written = new Map()
  const uses = Object.entries(values).map(([name, value]) => `${name}=${value}`)
  const { options } = JSON.parse(readFileSync(join(root, 'asconfig.json'), 'utf8'))
  const { error, stdout, stderr } = await asc.main(
    [
      '--config',
      'asconfig.json',
      markFile,
      '--outFile',
      'kernel.wasm',
      ...[...options.use, ...uses].flatMap(use => ['--use', use])
    ],
    {
      readFile: (name, base) => {
        if (name === markFile) return `export function ${mark()}(): void {}`
        const path = resolve(root, base, name)
        return existsSync(path) ? readFileSync(path, 'utf8') : null
      },
      writeFile: (name, contents) => {
        written.set(name, contents)
      },
      listFiles: () => []
    }
  )
  process.stderr.write(stdout.toString() + stderr.toString())
  const wasm = written.get('kernel.wasm')
  if (error || !(wasm instanceof Uint8Array)) {
    throw new Error('the kernel did not compile to WebAssembly', { cause: error ?? undefined })
  }
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(wasm)))
  if (imports.length > 0) throw new Error(`the kernel must import nothing, but asks for ${JSON.stringify(imports)}`)
  return wasm
}

/** @param {Uint8Array} wasm */
function inlinedModule(wasm) {
  const base64 = Buffer.from(wasm).toString('base64')
  return [
    '// Generated by scripts/build-kernel.mjs from assembly/.',
    '/** The kernel as a WebAssembly module, in base64. */',
    `export const wasmBase64 = '${base64}'`,
    ''
  ].join('\n')
}

/** @param {Uint8Array} wasm */
async function packedModule(wasm) {
  const { default: zopfli } = await import('@gfx/zopfli')
  const base64 = Buffer.from(await zopfli.zlibAsync(wasm, {})).toString('base64')
  return [
    '// Generated by scripts/build-kernel.mjs from assembly/.',
    '/** The kernel as a WebAssembly module, deflated (RFC 1950), in base64. */',
    `export const packedWasmBase64 = '${base64}'`,
    '/** Bytes of the module. */',
    `export const wasmByteLength = ${wasm.length}`,
    ''
  ].join('\n')
}

function markModule() {
  return [
    '// Generated by scripts/build-kernel.mjs from assembly/.',
    '/** Modules that were built from the same sources export a function of this name, and no others do. */',
    `export const kernelMark = '${mark()}'`,
    ''
  ].join('\n')
}

/** @param {Record<string, string>} values */
function sourceFingerprint(values) {
  const hash = createHash('sha256')
  const sources = readdirSync(join(root, 'assembly'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
    .map(name => join('assembly', name))
  for (const name of [...sources, 'asconfig.json', 'scripts/build-kernel.mjs', 'scripts/javascript-twins.mjs']) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update('\0')
  }
  for (const compiler of ['assemblyscript', 'esbuild', '@gfx/zopfli']) {
    hash.update(`${compiler} ${require(`${compiler}/package.json`).version}\0`)
  }
  return hash.update(JSON.stringify(values)).digest('hex')
}

/**
 * Complete or not at all: others may be reading the file, and an unchanged one keeps its time.
 * @param {string} path
 * @param {Uint8Array | string} contents
 */
function write(path, contents) {
  if (existsSync(path) && Buffer.compare(readFileSync(path), Buffer.from(contents)) === 0) return
  mkdirSync(dirname(path), { recursive: true })
  const aside = `${path}.${process.pid}`
  writeFileSync(aside, contents)
  renameSync(aside, path)
}

async function main() {
  const { values } = parseArgs({
    options: { use: { type: 'string', multiple: true }, out: { type: 'string' }, force: { type: 'boolean' } }
  })
  const use = Object.fromEntries(
    (values.use ?? []).map(text => {
      const at = text.indexOf('=')
      if (at < 1) throw new Error(`--use takes NAME=value, not ${text}`)
      return [text.slice(0, at), text.slice(at + 1)]
    })
  )
  const started = performance.now()
  const result = await buildKernel({
    use,
    force: values.force ?? false,
    ...(values.out === undefined ? {} : { out: values.out })
  })
  if (!result.built) {
    console.log('kernel: up to date')
    return
  }
  const wasm = readFileSync(result.wasm)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`kernel: ${wasm.length} bytes of WASM (${gzipSync(wasm).length} gzipped) in ${seconds} s`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
