// Copies every entry of every leaf that can be read into the new database.
//
// First the trees are walked in the order of their keys, as far as their inner pages lead: entries that come in order
// fill each new page once, however small the cache is. Then come the leaves to which no intact inner page leads. They
// are found through the page table and say which keyspace they belong to, so a damaged inner page costs nothing. Of a
// keyspace whose pages were all reached there are no such leaves: what the page table still names was deleted.
import { CATALOG_ROOT, CATALOG_TREE, MAIN_ROOT, MAIN_TREE } from '../../assembly/operations.ts'
import { isLightningError, type LightningError } from '../errors.ts'
import type { Core } from './core.ts'
import { readLarge } from './large-values.ts'
import type { PageView } from './page-view.ts'
import type { Losses, LossPlace } from './repair-losses.ts'
import { MissingPages, type Root } from './repair-missing.ts'
import { DamagedPages } from './repair-page-source.ts'
import type { Stages } from './repair-stages.ts'
import type { RepairTarget } from './repair-target.ts'

export class PageSalvage {
  readonly #core: Core
  readonly #pages: DamagedPages
  readonly #target: RepairTarget
  readonly #losses: Losses
  readonly #stages: Stages
  /** For each page, whether its entries were copied. */
  readonly #isDone: Uint8Array
  #done = 0
  /** Inner pages, to be asked for the keys of damaged children. */
  readonly #inner: number[] = []
  /** Keyspaces of which every page was reached and read. */
  readonly #whole = new Set<number>()
  /** Whether the names of all keyspaces are known. */
  #isCatalogWhole = false
  /** Keyspaces of which some page was found. */
  readonly #trees = new Set<number>()
  readonly #roots: Root[] = [
    { tree: CATALOG_TREE, page: CATALOG_ROOT },
    { tree: MAIN_TREE, page: MAIN_ROOT }
  ]

  constructor(core: Core, target: RepairTarget, losses: Losses, stages: Stages) {
    this.#core = core
    this.#pages = new DamagedPages(core)
    this.#target = target
    this.#losses = losses
    this.#stages = stages
    this.#isDone = new Uint8Array(this.#pages.limit)
  }

  /** Copies everything, and reports what is missing. `isTableWhole`: the page table names all pages. */
  async run(isTableWhole: boolean): Promise<void> {
    await this.#readCatalog()
    for (const { tree, page } of this.#roots) if (await this.#walk(tree, page)) this.#whole.add(tree)
    const known = new Set(this.#roots.map(({ tree }) => tree))
    const isDeleted = (tree: number) => this.#whole.has(tree) || (this.#isCatalogWhole && !known.has(tree))
    for (let id = 1; id < this.#pages.limit; id++) {
      if (this.#isDone[id] !== 0 || !this.#pages.isNamed(id) || this.#pages.isSegment(id)) continue
      const page = this.#pages.read(id)
      if (page === undefined || !isDeleted(page.tree)) await this.#salvage(id)
    }
    this.#target.flush()
    const missing = new MissingPages(this.#pages, this.#target, this.#losses)
    for (const id of this.#inner) {
      missing.lookAt(id)
      await this.#stages.step(1)
    }
    missing.tell(this.#roots, this.#trees, isTableWhole)
  }

  /** Names of the keyspaces: leaves of the catalog, wherever they are. */
  async #readCatalog(): Promise<void> {
    const stack = [CATALOG_ROOT]
    const seen = new Set(stack)
    let isWhole = true
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      const page = this.#pages.read(id)
      if (page === undefined || page.tree !== CATALOG_TREE) {
        isWhole = false
        continue
      }
      if (page.level === 0) isWhole = this.#nameFrom(page) && isWhole
      else {
        for (let i = 0; i <= page.count; i++) {
          const child = page.child(i)
          if (!seen.has(child)) stack.push(child)
          seen.add(child)
        }
      }
      await this.#stages.step(0)
    }
    this.#isCatalogWhole = isWhole
    if (isWhole) return
    for (let id = 1; id < this.#pages.limit; id++) {
      const isPage = !seen.has(id) && this.#pages.isNamed(id) && !this.#pages.isSegment(id)
      const page = isPage ? this.#pages.read(id) : undefined
      if (page?.level === 0 && page.tree === CATALOG_TREE) this.#nameFrom(page)
      await this.#stages.step(0)
    }
  }

  /** Notes the keyspaces that a leaf of the catalog names. Tells whether it makes sense of all of them. */
  #nameFrom(page: PageView): boolean {
    let isAll = true
    for (let i = 0; i < page.count; i++) {
      const path = page.key(i)
      const place = page.value(i)
      const view = new DataView(place.buffer, place.byteOffset, place.length)
      const tree = place.length === 8 && page.largeValue(i) === undefined ? view.getUint32(0, true) : CATALOG_TREE
      if (path.length === 0 || tree === CATALOG_TREE || tree === MAIN_TREE) {
        isAll = false
        continue
      }
      this.#roots.push({ tree, page: view.getUint32(4, true) })
      this.#target.name(tree, path)
    }
    return isAll
  }

  /** Copies the entries that can be reached from a keyspace's root, in the order of their keys. Tells whether that is all. */
  async #walk(tree: number, root: number): Promise<boolean> {
    const stack = [root]
    let isWhole = true
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (id >= this.#pages.limit || this.#isDone[id] !== 0) {
        isWhole = false
        continue
      }
      const page = await this.#salvage(id)
      if (page?.tree !== tree) isWhole = false
      if (page === undefined || page.level === 0) continue
      for (let i = page.count; i >= 0; i--) stack.push(page.child(i))
    }
    return isWhole
  }

  /** Copies the entries of a page if it is a leaf. Returns the page if it can be read. */
  async #salvage(id: number): Promise<PageView | undefined> {
    await this.#stages.step(this.#done / this.#pages.limit)
    this.#isDone[id] = 1
    this.#done++
    const page = this.#pages.read(id)
    if (page === undefined) return undefined
    this.#trees.add(page.tree)
    if (page.level > 0) this.#inner.push(id)
    else if (page.tree !== CATALOG_TREE) this.#copyLeaf(id, page)
    return page
  }

  #copyLeaf(id: number, page: PageView): void {
    const { tree } = page
    const large: { readonly key: Uint8Array; readonly first: number; readonly bytes: number }[] = []
    for (let i = 0; i < page.count; i++) {
      const key = page.key(i)
      const reference = page.largeValue(i)
      // No database writes an empty key or accepts one.
      if (key.length === 0) this.#losses.other('Lost: an entry.', 'Its key is empty', this.#placeOf(id))
      else if (reference === undefined) this.#target.put(tree, key, page.value(i))
      else large.push({ key, ...reference })
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

  #placeOf(id: number): LossPlace {
    return { file: this.#core.data.file.name, offset: this.#pages.offset(id), page: id }
  }

  #readLarge(first: number, bytes: number): Uint8Array | LightningError {
    try {
      return readLarge(this.#core, first, bytes, 0)
    } catch (error) {
      if (isLightningError(error, 'LIGHTNING_CORRUPT')) return error
      throw error
    }
  }
}
