// Every entry in every leaf that can be read, brought into the new database.
//
// Leaves are found through the page table, not through their parents: a leaf says itself which keyspace it belongs to,
// so a damaged inner page costs nothing. Inner pages tell afterwards which keys the damaged leaves must have held.
import { CATALOG_ROOT, CATALOG_TREE, MAIN_ROOT, MAIN_TREE } from '../../assembly/operations.ts'
import { MISS, TABLE_LIMIT } from '../../assembly/state.ts'
import { ENTRY_LARGE } from '../../assembly/table.ts'
import { isLightningError, type LightningError } from '../errors.ts'
import { sectorBytes } from '../store/format.ts'
import type { Pace } from './care.ts'
import type { Core } from './core.ts'
import type { KeyRange } from './key-text.ts'
import { readLarge } from './large-values.ts'
import { PageView } from './page-view.ts'
import type { Losses } from './repair-losses.ts'
import type { RepairTarget } from './repair-target.ts'

// What is known of a page id.
const good = 1
const bad = 2
const told = 3

const everyKey: KeyRange = { from: undefined, to: undefined }

/** A keyspace as the damaged catalog has it. */
interface Root {
  readonly tree: number
  readonly page: number
}

export class PageSalvage {
  readonly #core: Core
  readonly #target: RepairTarget
  readonly #losses: Losses
  readonly #limit: number
  readonly #state: Uint8Array
  readonly #reasons = new Map<number, string>()
  /** Inner pages, to be asked for the keys of damaged children. */
  readonly #inner: number[] = []
  readonly #trees = new Set<number>()
  readonly #roots: Root[] = [
    { tree: CATALOG_TREE, page: CATALOG_ROOT },
    { tree: MAIN_TREE, page: MAIN_ROOT }
  ]

  constructor(core: Core, target: RepairTarget, losses: Losses) {
    this.#core = core
    this.#target = target
    this.#losses = losses
    this.#limit = core.memory.word(TABLE_LIMIT)
    this.#state = new Uint8Array(this.#limit)
  }

  /** Pages of which there are entries, at most. */
  get limit(): number {
    return this.#limit
  }

  async run(pace: Pace, total: number): Promise<void> {
    await this.#readCatalog(pace, total)
    for (let id = 1; id < this.#limit; id++) {
      if (this.#sectorOf(id) !== 0 && !this.#isSegment(id)) this.#salvage(id)
      await pace.step(id, total)
    }
    this.#target.flush()
    for (const id of this.#inner) {
      this.#tellOfChildren(id)
      await pace.step(this.#limit, total)
    }
    this.#tellOfRoots()
    for (let id = 1; id < this.#limit; id++) {
      if (this.#state[id] === bad) this.#tell(id, undefined, undefined)
    }
  }

  /** Names of the keyspaces: leaves of the catalog, wherever they are. */
  async #readCatalog(pace: Pace, total: number): Promise<void> {
    const stack = [CATALOG_ROOT]
    const seen = new Set(stack)
    let isWhole = true
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      const page = this.#read(id)
      if (page === undefined || page.tree !== CATALOG_TREE) {
        isWhole = false
        continue
      }
      if (page.level === 0) this.#nameFrom(page)
      else {
        for (let i = 0; i <= page.count; i++) {
          const child = page.child(i)
          if (!seen.has(child)) stack.push(child)
          seen.add(child)
        }
      }
    }
    if (isWhole) return
    for (let id = 1; id < this.#limit; id++) {
      const page = seen.has(id) || this.#sectorOf(id) === 0 || this.#isSegment(id) ? undefined : this.#read(id)
      if (page?.level === 0 && page.tree === CATALOG_TREE) this.#nameFrom(page)
      await pace.step(0, total)
    }
  }

  #nameFrom(page: PageView): void {
    for (let i = 0; i < page.count; i++) {
      const path = page.key(i)
      const place = page.value(i)
      if (place.length !== 8) continue
      const view = new DataView(place.buffer, place.byteOffset, 8)
      const tree = view.getUint32(0, true)
      this.#roots.push({ tree, page: view.getUint32(4, true) })
      this.#target.name(tree, path)
    }
  }

  #salvage(id: number): void {
    const page = this.#read(id)
    if (page === undefined) return
    this.#trees.add(page.tree)
    if (page.level > 0) this.#inner.push(id)
    else if (page.tree !== CATALOG_TREE) this.#copyLeaf(id, page)
  }

  #copyLeaf(id: number, page: PageView): void {
    const { tree } = page
    const large: { readonly key: Uint8Array; readonly first: number; readonly bytes: number }[] = []
    for (let i = 0; i < page.count; i++) {
      const reference = page.largeValue(i)
      if (reference === undefined) this.#target.put(tree, page.key(i), page.value(i))
      else large.push({ key: page.key(i), ...reference })
    }
    for (const { key, first, bytes } of large) {
      const value = this.#readLarge(first, bytes)
      if (value instanceof Uint8Array) this.#target.put(tree, key, value)
      else {
        const { file, offset, page: segment } = value
        const place = { file, offset, page: segment ?? id }
        this.#losses.value('A part of the value is damaged', key, this.#target.pathOf(tree), place)
      }
    }
  }

  #readLarge(first: number, bytes: number): Uint8Array | LightningError {
    try {
      return readLarge(this.#core, first, bytes, 0)
    } catch (error) {
      if (isLightningError(error, 'LIGHTNING_CORRUPT')) return error
      throw error
    }
  }

  /** Tells of damaged leaves below an inner page. */
  #tellOfChildren(id: number): void {
    const page = this.#read(id)
    if (page === undefined) return
    const { tree, count, level } = page
    const missing: { readonly child: number; readonly range: KeyRange }[] = []
    for (let i = 0; i <= count; i++) {
      const child = page.child(i)
      if (child < this.#limit && this.#state[child] === good) continue
      const from = i === 0 ? undefined : page.key(i - 1)
      missing.push({ child, range: { from, to: i === count ? undefined : page.key(i) } })
    }
    for (const { child, range } of missing) {
      // A damaged inner page is no loss: what is below it was found without it.
      if (level === 1) this.#tell(child, tree, range)
      else if (child < this.#limit) this.#state[child] = told
    }
  }

  /** A damaged root is a loss when nothing else of its keyspace was found: then it was a leaf. */
  #tellOfRoots(): void {
    for (const { tree, page } of this.#roots) {
      if (page >= this.#limit || this.#state[page] === good) continue
      if (this.#trees.has(tree)) this.#state[page] = told
      else if (this.#core.meta.tableLimit > 0 && page > 0) this.#tell(page, tree, everyKey)
    }
  }

  #tell(id: number, tree: number | undefined, range: KeyRange | undefined): void {
    if (this.#state[id] === told) return
    const sector = id < this.#limit ? this.#sectorOf(id) : 0
    const reason = this.#reasons.get(id) ?? `Page ${id} is not in what was found of the page table`
    const place = { file: this.#core.data.file.name, offset: sector === 0 ? undefined : sector * sectorBytes, page: id }
    if (id < this.#limit) this.#state[id] = told
    if (tree === CATALOG_TREE) {
      const message = "Lost: names of sublevels; their entries are in sublevels named 'recovered-…'."
      this.#losses.other(message, reason, { ...place, keyRange: range })
      return
    }
    const isNarrow = tree !== undefined && range !== undefined
    const keyRange = isNarrow ? this.#target.narrowed(tree, range) : range
    this.#losses.entries(reason, {
      ...place,
      path: tree === undefined ? undefined : this.#target.pathOf(tree),
      keyRange
    })
  }

  /** The page, or undefined, and why is noted, when it cannot be read. */
  #read(id: number): PageView | undefined {
    if (id < 1 || id >= this.#limit || this.#state[id] === bad) return undefined
    const { kernel, memory } = this.#core
    try {
      while (true) {
        const address = kernel.exports.resolve(id, 0) >>> 0
        if (address !== 0) {
          this.#state[id] = good
          return new PageView(memory, address)
        }
        this.#core.provide(MISS)
      }
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CORRUPT')) throw error
      this.#state[id] = bad
      if (this.#reasons.size < 10_000) this.#reasons.set(id, `Page ${id} ${reasonOf(error.message, id)}`)
      return undefined
    }
  }

  #sectorOf(id: number): number {
    return this.#core.memory.word(this.#core.kernel.exports.entryAt(id, 0) >>> 0)
  }

  #isSegment(id: number): boolean {
    const entry = this.#core.kernel.exports.entryAt(id, 0) >>> 0
    return ((this.#core.memory.word(entry + 4) >>> 24) & ENTRY_LARGE) !== 0
  }
}

/** What is wrong, out of the pager's message: "Page 7 of data.ldb is …. Restore …". */
function reasonOf(message: string, id: number): string {
  const found = new RegExp(`^Page ${id} of \\S+ (.*?)\\. `).exec(message)
  return found?.[1] ?? 'lies behind the end of the file'
}
