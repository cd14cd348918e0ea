// Gets a kernel to run: the bundled WebAssembly module, one the caller brings, or the JavaScript build of the same
// sources where WebAssembly is missing or a content-security policy forbids it. Every call gives an instance with a
// memory of its own; the bundled module is compiled once.
import { invalidArgument } from '../encoding/failure.ts'
import { LightningError } from '../errors.ts'
import { bundledBytes } from './bundled-bytes.ts'
import type { KernelExports } from './exports.ts'
import { kernelMark } from './generated/mark.ts'
import { instantiate } from './instantiate.ts'
import { onDemand } from './on-demand.ts'
import { readFile } from './read-file.ts'

/** What the option `wasm` takes: a compiled module, its bytes, where to find it, or `'off'` for the JavaScript build. */
export type WasmSource = WebAssembly.Module | BufferSource | URL | string

/** One running kernel and the memory it works in. */
export interface Kernel {
  /** Which of the two builds this is; they compute the same. */
  readonly build: 'wasm' | 'javascript'
  readonly exports: KernelExports
  /** The kernel's memory as it is now. Growing it detaches the old one, so views are made anew after that. */
  memory(): ArrayBuffer
}

/**
 * Loads a kernel.
 *
 * @throws LightningError `LIGHTNING_INVALID_ARGUMENT` when `wasm` is not a kernel or cannot be fetched,
 * `LIGHTNING_OUT_OF_MEMORY` when there is no room for its memory.
 */
export async function loadKernel(wasm?: WasmSource): Promise<Kernel> {
  if (wasm === 'off' || typeof WebAssembly === 'undefined') return javaScriptKernel()
  let module: WebAssembly.Module
  try {
    const found = wasm === undefined ? await bundledModule() : await moduleFrom(wasm)
    if (found === undefined) return javaScriptKernel()
    module = found
  } catch (error) {
    if (isForbidden(error)) return javaScriptKernel()
    throw error
  }
  return wasmKernel(module)
}

async function wasmKernel(module: WebAssembly.Module): Promise<Kernel> {
  const { exports } = (await instantiateModule(module)).instance
  const memory = exports.memory
  // The loader's own view of the exports wraps every function in another call; these are the functions themselves.
  if (!isKernel(exports) || !(memory instanceof WebAssembly.Memory)) {
    throw invalid('This is not the kernel of this version of Lightning DB.')
  }
  return { build: 'wasm', exports, memory: () => memory.buffer }
}

async function javaScriptKernel(): Promise<Kernel> {
  const { createJavaScriptKernel } = await onDemand('open', () => import('./generated/javascript.ts'))
  const kernel = createJavaScriptKernel()
  return { build: 'javascript', exports: kernel, memory: kernel.currentMemory }
}

const bundledModule = onceItWorks(async () => {
  const bytes = await bundledBytes()
  return bytes === undefined ? undefined : await WebAssembly.compile(bytes)
})

async function moduleFrom(source: Exclude<WasmSource, 'off'>): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  const bytes = typeof source === 'string' || source instanceof URL ? await fetchBytes(source) : source
  let valid: boolean
  try {
    valid = WebAssembly.validate(bytes)
  } catch (cause) {
    throw invalid('This is neither a WebAssembly.Module nor its bytes, a URL or "off".', cause)
  }
  // Checked before compiling: if the compilation of valid bytes fails, the environment forbids it.
  if (!valid) throw invalid('These bytes are no WebAssembly module.')
  return WebAssembly.compile(bytes)
}

async function instantiateModule(module: WebAssembly.Module) {
  try {
    return await instantiate(module)
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new LightningError(
        'LIGHTNING_OUT_OF_MEMORY',
        'There is no room for the memory of the kernel. Close other databases, or pass smaller cacheBytes.',
        { cause }
      )
    }
    throw invalid('This WebAssembly module cannot be instantiated as a kernel.', cause)
  }
}

async function fetchBytes(source: string | URL): Promise<ArrayBuffer | Uint8Array<ArrayBuffer>> {
  try {
    const url = new URL(source, globalThis.location?.href)
    if (url.protocol === 'file:') return await readFile(url)
    const response = await fetch(url)
    if (!response.ok) throw new Error(`the answer was ${response.status} ${response.statusText}`)
    return await response.arrayBuffer()
  } catch (cause) {
    throw invalid(`The kernel cannot be read from ${source}.`, cause)
  }
}

/** How engines say that a content-security policy forbids WebAssembly: they disagree on the class. */
function isForbidden(error: unknown): boolean {
  return error instanceof WebAssembly.CompileError || error instanceof EvalError
}

/** Whether they are of the module that was built with this code: then they are all that the code expects. */
function isKernel(exports: object): exports is KernelExports {
  return kernelMark in exports
}

function invalid(message: string, cause?: unknown): LightningError {
  return invalidArgument(`${message} Pass the package's kernel.wasm as the option wasm, or leave it out.`, { cause })
}

/** Runs `make` once and keeps its result; after a failure the next call tries again. */
function onceItWorks<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch(error => {
      made = undefined
      throw error
    })
    return made
  }
}
