// The kernel's memory as TypeScript reads and writes it. When the memory grows, views made before are detached (their
// length becomes 0); whoever may have caused a growth asks for `bytes` and `words` anew.
import type { Kernel } from './load.ts'

/** Views of a kernel's memory that are made anew when it has grown. */
export class KernelMemory {
  readonly #kernel: Kernel
  #bytes: Uint8Array
  #words: Uint32Array

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#bytes = new Uint8Array(kernel.memory())
    this.#words = new Uint32Array(kernel.memory())
  }

  /** All of the memory, byte by byte. */
  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) this.#renew()
    return this.#bytes
  }

  /** All of the memory, as little-endian words: index an address shifted right by two. */
  get words(): Uint32Array {
    if (this.#words.length === 0) this.#renew()
    return this.#words
  }

  /** The word at `address`, a multiple of four. */
  word(address: number): number {
    return this.words[address >>> 2] ?? 0
  }

  setWord(address: number, value: number): void {
    this.words[address >>> 2] = value
  }

  /** The 64-bit number whose low word stands at `address`, as far as a number holds it (2^53). */
  long(address: number): number {
    return this.word(address + 4) * 0x1_0000_0000 + this.word(address)
  }

  setLong(address: number, value: number): void {
    this.setWord(address, value >>> 0)
    this.setWord(address + 4, Math.floor(value / 0x1_0000_0000))
  }

  #renew(): void {
    this.#bytes = new Uint8Array(this.#kernel.memory())
    this.#words = new Uint32Array(this.#kernel.memory())
  }
}
