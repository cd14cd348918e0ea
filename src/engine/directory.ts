// The directory: where each chunk of the page table and its copy lie, as a checkpoint has it.
//
//   entry   0        4       8          12
//           | sector | bytes | checksum | copy |      sector 0: the chunk names nothing; copy 0: there is none
import { directoryEntryBytes } from '../store/format.ts'

const words = directoryEntryBytes / 4

export class Directory {
  #entries = new Uint32Array(0)

  get length(): number {
    return this.#entries.length / words
  }

  sector(chunk: number): number {
    return this.#entries[chunk * words] ?? 0
  }

  bytes(chunk: number): number {
    return this.#entries[chunk * words + 1] ?? 0
  }

  checksum(chunk: number): number {
    return this.#entries[chunk * words + 2] ?? 0
  }

  /** Sector of the chunk's copy, 0: none. */
  copySector(chunk: number): number {
    return this.#entries[chunk * words + 3] ?? 0
  }

  set(chunk: number, sector: number, bytes: number, checksum: number, copySector: number): void {
    this.#entries[chunk * words] = sector
    this.#entries[chunk * words + 1] = bytes
    this.#entries[chunk * words + 2] = checksum
    this.#entries[chunk * words + 3] = copySector
  }

  /** Takes all copies for none: who wrote this directory did not know of them. */
  forgetCopies(): void {
    for (let chunk = 0; chunk < this.length; chunk++) this.#entries[chunk * words + 3] = 0
  }

  /** Makes it `length` chunks long. */
  resize(length: number): void {
    const entries = new Uint32Array(length * words)
    entries.set(this.#entries.subarray(0, entries.length))
    this.#entries = entries
  }

  /** A copy to change. */
  copy(): Directory {
    const copy = new Directory()
    copy.become(this)
    return copy
  }

  become(other: Directory): void {
    this.#entries = other.#entries.slice()
  }

  /** As it stands on disk. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#entries.length * 4)
    const view = new DataView(bytes.buffer)
    for (const [i, word] of this.#entries.entries()) view.setUint32(i * 4, word, true)
    return bytes
  }

  decode(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#entries = new Uint32Array(bytes.length >> 2)
    for (let i = 0; i < this.#entries.length; i++) this.#entries[i] = view.getUint32(i * 4, true)
  }
}
