// Pages of a damaged database, read as far as they can be, and what is known of each of them.
import { MISS, TABLE_LIMIT } from '../../assembly/state.ts'
import { ENTRY_LARGE } from '../../assembly/table.ts'
import { isLightningError } from '../errors.ts'
import { sectorBytes } from '../store/format.ts'
import type { Core } from './core.ts'
import { PageView } from './page-view.ts'

// What is known of a page: one of the first two, or the number of what is wrong with it, and perhaps that it was told.
const unread = 0
const good = 1
const firstReason = 2
const told = 128

const unnamed = 'is not in what was found of the page table'

export class DamagedPages {
  readonly core: Core
  /** Page ids are below it. */
  readonly limit: number
  readonly #states: Uint8Array
  /** Everything that was found to be wrong with some page; there are about a dozen such texts. */
  readonly #reasons: string[] = []

  constructor(core: Core) {
    this.core = core
    this.limit = core.memory.word(TABLE_LIMIT)
    this.#states = new Uint8Array(this.limit)
  }

  /** The page, or undefined, and why is noted, when it cannot be read. It is valid until another is read. */
  read(id: number): PageView | undefined {
    if (id < 1 || id >= this.limit || this.isBad(id)) return undefined
    const { kernel, memory } = this.core
    try {
      while (true) {
        const address = kernel.exports.resolve(id, 0) >>> 0
        if (address !== 0) {
          this.#states[id] = good
          return new PageView(memory, address)
        }
        this.core.provide(MISS)
      }
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CORRUPT')) throw error
      this.#states[id] = firstReason + this.#numberOf(this.#reasonOf(error.message, id))
      return undefined
    }
  }

  /** Whether the page was read. */
  isGood(id: number): boolean {
    return this.#states[id] === good
  }

  /** Whether it was found that the page cannot be read. */
  isBad(id: number): boolean {
    return ((this.#states[id] ?? unread) & ~told) >= firstReason
  }

  /** Notes that whoever repairs knows of the page's loss, or that it is none. */
  setTold(id: number): void {
    if (id < this.limit) this.#states[id] = (this.#states[id] ?? unread) | told
  }

  isTold(id: number): boolean {
    return ((this.#states[id] ?? unread) & told) !== 0
  }

  /** What is wrong with a page that is not good, to follow the page's name. */
  reason(id: number): string {
    const state = (this.#states[id] ?? unread) & ~told
    return this.#reasons[state - firstReason] ?? unnamed
  }

  /** Whether an image is named for the page. */
  isNamed(id: number): boolean {
    return this.#sectorOf(id) !== 0
  }

  /** Position of the page's image in the data file in bytes, when it is known. */
  offset(id: number): number | undefined {
    const sector = id < this.limit ? this.#sectorOf(id) : 0
    return sector === 0 ? undefined : sector * sectorBytes
  }

  /** Whether the page is a segment of a large value. */
  isSegment(id: number): boolean {
    const entry = this.core.kernel.exports.entryAt(id, 0) >>> 0
    return ((this.core.memory.word(entry + 4) >>> 24) & ENTRY_LARGE) !== 0
  }

  /** What is wrong, out of the pager's message: "Page 7 of data.ldb is …. Restore …". */
  #reasonOf(message: string, id: number): string {
    if (!this.isNamed(id)) return unnamed
    const found = new RegExp(`^Page ${id} of \\S+ (.*?)\\. `).exec(message)
    return found?.[1] ?? `lies behind the end of the file, which has ${this.core.data.file.size()} bytes`
  }

  #sectorOf(id: number): number {
    return this.core.memory.word(this.core.kernel.exports.entryAt(id, 0) >>> 0)
  }

  #numberOf(reason: string): number {
    const known = this.#reasons.indexOf(reason)
    return known < 0 ? this.#reasons.push(reason) - 1 : known
  }
}
