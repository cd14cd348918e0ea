// A page in the kernel's memory as TypeScript reads it, for verification and repair. assembly/page.ts draws the layout.
import { CELL_BYTES, CELL_LARGE, HEADER_BYTES, SLOT_BYTES, SUFFIX_BYTES_MASK } from '../../assembly/page.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'

export class PageView {
  readonly address: number
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(memory: KernelMemory, address: number) {
    this.address = address
    this.#bytes = memory.bytes
    this.#view = new DataView(this.#bytes.buffer, address)
  }

  get level(): number {
    return this.#view.getUint8(5)
  }

  get count(): number {
    return this.#view.getUint16(6, true)
  }

  get tree(): number {
    return this.#view.getUint32(24, true)
  }

  key(index: number): Uint8Array {
    const prefix = this.#view.getUint16(8, true)
    const cell = this.#cell(index)
    const suffix = this.#suffixBytes(index)
    const key = new Uint8Array(prefix + suffix)
    key.set(this.#bytes.subarray(this.address + HEADER_BYTES, this.address + HEADER_BYTES + prefix))
    key.set(this.#bytes.subarray(this.address + cell + CELL_BYTES, this.address + cell + CELL_BYTES + suffix), prefix)
    return key
  }

  /** A copy of the value of a leaf's entry as it stands in the cell. */
  value(index: number): Uint8Array {
    const cell = this.#cell(index)
    const from = this.address + cell + CELL_BYTES + this.#suffixBytes(index)
    return this.#bytes.slice(from, from + (this.#view.getUint32(cell, true) & 0xffffff))
  }

  /** Page id of child `index` of a branch, 0 being the first. */
  child(index: number): number {
    return index === 0 ? this.#view.getUint32(20, true) : this.#view.getUint32(this.#cell(index - 1), true)
  }

  /** The large value behind a leaf's entry, if it is one. */
  largeValue(index: number): { first: number; bytes: number } | undefined {
    const cell = this.#cell(index)
    if ((this.#view.getUint8(cell + 3) & CELL_LARGE) === 0) return undefined
    const value = cell + CELL_BYTES + this.#suffixBytes(index)
    return { first: this.#view.getUint32(value, true), bytes: this.#view.getUint32(value + 4, true) }
  }

  #suffixBytes(index: number): number {
    return this.#view.getUint16(this.#slot(index) + 6, true) & SUFFIX_BYTES_MASK
  }

  #slot(index: number): number {
    return ((HEADER_BYTES + 3 + this.#view.getUint16(8, true)) & ~3) + index * SLOT_BYTES
  }

  #cell(index: number): number {
    return this.#view.getUint16(this.#slot(index) + 4, true)
  }
}
