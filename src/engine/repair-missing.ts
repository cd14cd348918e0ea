// Finds out which keys were in pages that could not be read. The inner page above a leaf tells the range of its keys.
// If that page is missing as well, its own range is reported as one that may have holes, and the pages by their
// numbers.
import { CATALOG_TREE } from '../../assembly/operations.ts'
import type { KeyRange } from './key-text.ts'
import { idsText } from './id-text.ts'
import type { Losses, LossPlace } from './repair-losses.ts'
import type { DamagedPages } from './repair-page-source.ts'
import type { RepairTarget } from './repair-target.ts'

/** A keyspace as the damaged catalog has it. */
export interface Root {
  readonly tree: number
  readonly page: number
}

/** Neighbouring children of an inner page that cannot be read. */
interface Hole {
  readonly tree: number
  readonly pages: readonly number[]
  readonly range: KeyRange
}

/** Up to so many holes below one inner page are reported one by one; more are reported together. */
const mostHoles = 10

const everyKey: KeyRange = { from: undefined, to: undefined }

export class MissingPages {
  readonly #pages: DamagedPages
  readonly #target: RepairTarget
  readonly #losses: Losses
  /** Ranges below inner pages that cannot be read. */
  readonly #doubtful: Hole[] = []

  constructor(pages: DamagedPages, target: RepairTarget, losses: Losses) {
    this.#pages = pages
    this.#target = target
    this.#losses = losses
  }

  /** Reports damaged leaves below an inner page, and notes damaged inner pages below it. */
  lookAt(id: number): void {
    const page = this.#pages.read(id)
    if (page === undefined) return
    const { tree, count, level } = page
    const holes: Hole[] = []
    let run: number[] = []
    let from: Uint8Array | undefined
    for (let i = 0; i <= count; i++) {
      const child = page.child(i)
      if (this.#pages.isGood(child) || this.#pages.isTold(child)) continue
      if (run.length === 0) from = i === 0 ? undefined : page.key(i - 1)
      run.push(child)
      const next = i === count ? 0 : page.child(i + 1)
      if (i < count && !this.#pages.isGood(next) && !this.#pages.isTold(next)) continue
      holes.push({ tree, pages: run, range: { from, to: i === count ? undefined : page.key(i) } })
      run = []
    }
    for (const hole of holes) for (const child of hole.pages) this.#pages.setTold(child)
    // A damaged inner page is no loss by itself: the pages below it were found without it, as far as they can be read.
    if (level > 1) this.#doubtful.push(...holes)
    else if (holes.length <= mostHoles) for (const hole of holes) this.#tellOfHole(hole)
    else this.#tellOfHoles(holes, count + 1)
  }

  /** At the end: reports keyspaces whose roots are damaged, and damaged pages to which no inner page leads. */
  tell(roots: readonly Root[], found: ReadonlySet<number>, isTableWhole: boolean): void {
    for (const { tree, page } of roots) {
      if (page === 0 || this.#pages.isGood(page) || this.#pages.isTold(page) || this.#isNew()) continue
      const hole = { tree, pages: [page], range: everyKey }
      if (page < this.#pages.limit) this.#pages.setTold(page)
      // When nothing of the keyspace was found, its root was a leaf, or all is lost.
      if (found.has(tree)) this.#doubtful.push(hole)
      else this.#tellOfHole(hole)
    }
    const lost = this.#untold()
    if (lost.length === 0 && isTableWhole) return
    for (const hole of this.#doubtful) this.#tellOfDoubt(hole)
    for (const [reason, pages] of byReason(lost, this.#pages)) this.#tellOfPages(reason, pages)
  }

  /** Nothing was ever in the data file. */
  #isNew(): boolean {
    return this.#pages.core.meta.tableLimit === 0
  }

  #untold(): number[] {
    const lost: number[] = []
    for (let id = 1; id < this.#pages.limit; id++) {
      if (this.#pages.isBad(id) && !this.#pages.isTold(id)) lost.push(id)
    }
    return lost
  }

  #tellOfHole({ tree, pages, range }: Hole): void {
    const { reason, place } = this.#causeOf(pages)
    if (tree === CATALOG_TREE) {
      const message =
        "Lost: names of sublevels. Their entries are, as far as they were found, in sublevels 'recovered-…'."
      this.#losses.other(message, reason, { ...place, keyRange: range })
    } else this.#losses.entries('Lost: ', reason, { ...place, ...this.#keysOf(tree, range) })
  }

  /** Many holes below one inner page, as one loss. */
  #tellOfHoles(holes: readonly Hole[], children: number): void {
    const [first] = holes
    const last = holes.at(-1)
    if (first === undefined || last === undefined) return
    const pages = holes.flatMap(hole => hole.pages)
    const { reason, place } = this.#causeOf(pages)
    const keys = this.#keysOf(first.tree, { from: first.range.from, to: last.range.to })
    this.#losses.entries(`Lost: ${pages.length} of ${children} pages with `, reason, { ...place, ...keys })
  }

  #tellOfDoubt({ tree, pages, range }: Hole): void {
    if (tree === CATALOG_TREE) return
    const { reason, place } = this.#causeOf(pages)
    const why = `${reason}, so it is not known which of the pages that are lost were below it`
    this.#losses.entries('Perhaps lost: some of ', why, { ...place, ...this.#keysOf(tree, range) })
  }

  #tellOfPages(reason: string, pages: readonly number[]): void {
    const what = pages.length === 1 ? 'a page' : `${pages.length.toLocaleString('en')} pages`
    const [page] = pages
    const message = `Lost: the entries of ${what} that no other page was found to refer to: ${idsText(pages)}.`
    const place = { file: this.#pages.core.data.file.name, page, offset: this.#pages.offset(page ?? 0) }
    this.#losses.other(message, `Page ${page} ${reason}`, place)
  }

  #keysOf(tree: number, range: KeyRange): LossPlace {
    const isAll = range.from === undefined && range.to === undefined
    return { path: this.#target.pathOf(tree), keyRange: isAll ? range : this.#target.narrowed(tree, range) }
  }

  #causeOf(pages: readonly number[]): { readonly reason: string; readonly place: LossPlace } {
    const [page = 0, ...others] = pages
    const also =
      others.length === 0 ? '' : `, and page${others.length === 1 ? '' : 's'} ${idsText(others)} cannot be read either`
    return {
      reason: `Page ${page} ${this.#pages.reason(page)}${also}`,
      place: { file: this.#pages.core.data.file.name, offset: this.#pages.offset(page), page }
    }
  }
}

function byReason(ids: readonly number[], pages: DamagedPages): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const id of ids) {
    const reason = pages.reason(id)
    const group = groups.get(reason)
    if (group === undefined) groups.set(reason, [id])
    else group.push(id)
  }
  return groups
}
