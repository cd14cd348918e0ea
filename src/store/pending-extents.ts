// Extents that nothing in memory names any more but that recovery could still need: they are given back when the next
// checkpoint is durable (docs/durability.md, rules 9 and 12).
//
// While a checkpoint is under way there are two lists. What the checkpoint before it named and the one under way does
// not is free as soon as that is durable. Large values are named by log frames too, and a frame written after the
// checkpoint began is live beyond it, so their extents wait for the following one.
import { ENTRY_LARGE, ENTRY_NAMED } from '../../assembly/table.ts'
import { type Extent, sectorsOf } from './block-map.ts'
import type { DataFile } from './data-file.ts'

export class PendingExtents {
  readonly #data: DataFile
  #current: Extent[] = []
  #next: Extent[] = []
  #isCheckpointing = false
  #sectors = 0

  constructor(data: DataFile) {
    this.#data = data
  }

  /** Whether a checkpoint is under way: it has taken extents that nothing names yet. */
  get isCheckpointing(): boolean {
    return this.#isCheckpointing
  }

  /** Sectors that wait. */
  get sectors(): number {
    return this.#sectors
  }

  /** Takes over an extent whose table entry had these format flags. */
  give(sector: number, bytes: number, format: number): void {
    const extent = { sector, sectors: sectorsOf(bytes) }
    if (PLANTED_BUG === 16 || (format & (ENTRY_NAMED | ENTRY_LARGE)) === 0) {
      this.#data.release(extent)
      return
    }
    this.#sectors += extent.sectors
    if (this.#isCheckpointing && (format & ENTRY_LARGE) !== 0) this.#next.push(extent)
    else this.#current.push(extent)
  }

  /** Takes over an extent that the last checkpoint's chunks or directory lie in. */
  giveNamed(extent: Extent): void {
    this.#sectors += extent.sectors
    this.#current.push(extent)
  }

  beginCheckpoint(): void {
    this.#isCheckpointing = true
  }

  /** The checkpoint is durable: what only the one before needed is free. */
  endCheckpoint(): void {
    for (const extent of this.#current) {
      this.#data.release(extent)
      this.#sectors -= extent.sectors
    }
    this.#current = this.#next
    this.#next = []
    this.#isCheckpointing = false
  }

  /** Memory is rebuilt from disk: what waited is found anew by then. */
  forget(): void {
    this.#current = []
    this.#next = []
    this.#sectors = 0
    this.#isCheckpointing = false
  }

  /** The checkpoint failed: everything goes on waiting. */
  abandonCheckpoint(): void {
    this.#current.push(...this.#next)
    this.#next = []
    this.#isCheckpointing = false
  }
}
