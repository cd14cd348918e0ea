// Extents that nothing in memory names any more but that a recovery could still need. They are freed when the next
// checkpoint is durable (docs/durability.md, rules 9 and 12).
//
// While a checkpoint is running there are two lists. An extent that the previous checkpoint named and this one does not
// is freed as soon as this one is durable. Extents of large values are named by log frames, too; a frame written after
// the checkpoint began is still needed after it, so these extents wait for the checkpoint after this one.
import { ENTRY_LARGE, ENTRY_NAMED } from '../../assembly/table.ts'
import { type Extent, sectorsOf } from './block-map.ts'
import type { DataFile } from './data-file.ts'

export class PendingExtents {
  readonly #data: DataFile
  #current: Extent[] = []
  #next: Extent[] = []
  #isCheckpointing = false
  #sectors = 0
  #laterSectors = 0

  constructor(data: DataFile) {
    this.#data = data
  }

  /** Whether a checkpoint is running. It has taken extents that nothing names yet. */
  get isCheckpointing(): boolean {
    return this.#isCheckpointing
  }

  /** Sectors that wait. */
  get sectors(): number {
    return this.#sectors
  }

  /** Those that wait for the checkpoint after the running one. */
  get laterSectors(): number {
    return this.#laterSectors
  }

  /** Takes an extent that a table entry with these format flags has named: frees it, or has it wait. */
  give(sector: number, bytes: number, format: number): void {
    const extent = { sector, sectors: sectorsOf(bytes) }
    if (PLANTED_BUG === 16 || (format & (ENTRY_NAMED | ENTRY_LARGE)) === 0) {
      this.#data.release(extent)
      return
    }
    this.#sectors += extent.sectors
    if (this.#isCheckpointing && (format & ENTRY_LARGE) !== 0) {
      this.#next.push(extent)
      this.#laterSectors += extent.sectors
    } else this.#current.push(extent)
  }

  /** Has an extent wait that holds a chunk or the directory of the last checkpoint. */
  giveNamed(extent: Extent): void {
    this.#sectors += extent.sectors
    this.#current.push(extent)
  }

  beginCheckpoint(): void {
    this.#isCheckpointing = true
  }

  /** The checkpoint is durable: frees what only the previous one needed. */
  endCheckpoint(): void {
    for (const extent of this.#current) {
      this.#data.release(extent)
      this.#sectors -= extent.sectors
    }
    this.#current = this.#next
    this.#next = []
    this.#laterSectors = 0
    this.#isCheckpointing = false
  }

  /** Memory is being rebuilt from disk, which finds out anew what is free. */
  forget(): void {
    this.#current = []
    this.#next = []
    this.#laterSectors = 0
    this.#sectors = 0
    this.#isCheckpointing = false
  }

  /** The checkpoint has failed: everything goes on waiting. */
  abandonCheckpoint(): void {
    this.#current = this.#current.concat(this.#next)
    this.#next = []
    this.#laterSectors = 0
    this.#isCheckpointing = false
  }
}
