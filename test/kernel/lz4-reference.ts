import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

interface Lz4Wasm {
  readonly memory: WebAssembly.Memory
  compress(result: number, address: number, length: number): void
  decompress(result: number, address: number, length: number): void
  __wbindgen_add_to_stack_pointer(bytes: number): number
  __wbindgen_malloc(bytes: number): number
  __wbindgen_free(address: number, bytes: number): void
}

// lz4-wasm is made for bundlers; Node cannot import it by name, so its module is instantiated by hand.
const path = createRequire(import.meta.url).resolve('lz4-wasm/lz4_wasm_bg.wasm')
const imports = { './lz4_wasm_bg.js': { __wbindgen_string_new: () => 0 } }
const exports: unknown = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), imports).exports
if (!isLz4Wasm(exports)) throw new Error('lz4-wasm has changed its exports')
const lz4 = exports

/** An LZ4 block of these bytes, made by lz4-wasm. */
export function referenceCompress(data: Uint8Array): Uint8Array {
  return call('compress', data).slice(4)
}

/** The bytes in an LZ4 block, found by lz4-wasm; throws if the block is malformed. */
export function referenceDecompress(block: Uint8Array, length: number): Uint8Array {
  const sized = new Uint8Array(4 + block.length)
  new DataView(sized.buffer).setUint32(0, length, true)
  sized.set(block, 4)
  return call('decompress', sized)
}

function call(name: 'compress' | 'decompress', input: Uint8Array): Uint8Array {
  const result = lz4.__wbindgen_add_to_stack_pointer(-16)
  try {
    const address = lz4.__wbindgen_malloc(input.length)
    new Uint8Array(lz4.memory.buffer).set(input, address)
    lz4[name](result, address, input.length)
    const [at = 0, length = 0, , failed = 0] = new Uint32Array(lz4.memory.buffer, result, 4)
    if (name === 'decompress' && failed !== 0) throw new Error('lz4-wasm calls this block malformed')
    const output = new Uint8Array(lz4.memory.buffer, at, length).slice()
    lz4.__wbindgen_free(at, length)
    return output
  } finally {
    lz4.__wbindgen_add_to_stack_pointer(16)
  }
}

function isLz4Wasm(value: unknown): value is Lz4Wasm {
  return typeof value === 'object' && value !== null && 'compress' in value && 'decompress' in value
}
