// Checksums and LZ4 for what makes inputs: by the kernel's WASM build, which is not counted.
import { IMAGE } from '../../assembly/state.ts'
import { KernelMemory } from '../../src/kernel/kernel-memory.ts'
import { type Kernel, loadKernel } from '../../src/kernel/load.ts'

/** A kernel to compute with. */
export class Tools {
  readonly #kernel: Kernel
  readonly #memory: KernelMemory

  private constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#memory = new KernelMemory(kernel)
    kernel.exports.setUp(4_096, 64)
  }

  static async make(): Promise<Tools> {
    return new Tools(await loadKernel())
  }

  xxh32(bytes: Uint8Array, seed: number): number {
    const at = this.#memory.word(IMAGE)
    this.#memory.bytes.set(bytes, at)
    return this.#kernel.exports.xxh32(at, bytes.length, seed) >>> 0
  }

  /** What an LZ4 block holds, undefined when it is no block of so many bytes. */
  unpack(block: Uint8Array, length: number): Uint8Array | undefined {
    const at = this.#memory.word(IMAGE)
    const to = at + (512 << 10)
    this.#memory.bytes.set(block, at)
    if (this.#kernel.exports.lz4Decompress(at, block.length, to, length) !== length) return undefined
    return this.#memory.bytes.slice(to, to + length)
  }
}
