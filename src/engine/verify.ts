// Verification: everything that the newest state consists of is read and compared with what refers to it. Structure and
// keys are checked page by page, from the catalog down, as one snapshot sees them. Images, chunks and directory are read
// from disk and compared with their checksums. Every extent must be named exactly once.
import { ENTRY_LARGE } from '../../assembly/table.ts'
import { IMAGE, MISS, TABLE_LIMIT } from '../../assembly/state.ts'
import { CATALOG_ROOT, CATALOG_TREE, MAIN_ROOT, MAIN_TREE } from '../../assembly/operations.ts'
import { compareBytes } from '../encoding/bytes.ts'
import { LightningError } from '../errors.ts'
import { corrupt } from '../store/failures.ts'
import { chunkBytes, sectorBytes } from '../store/format.ts'
import { behind } from './bounds.ts'
import type { CareOptions } from './long-operations.ts'
import type { Core } from './core.ts'
import { idsText } from './id-text.ts'
import { type KeyRange, rangeText, sublevelText } from './key-text.ts'
import { namesOf } from './keyspace-path.ts'
import { Pace } from './pace.ts'
import { PageView } from './page-view.ts'
import type { EngineSnapshot } from './snapshots.ts'
import { checkExtents, checkMetas } from './verify-disk.ts'
import { checkLog } from './verify-log.ts'
import { checkedSegments } from './verify-segments.ts'

/** One thing that is wrong. */
export interface VerifyProblem {
  /** What is wrong, and where. */
  readonly message: string
  /** Name of the file concerned, when it is known. */
  readonly file?: string | undefined
  /** Page id, when a page is concerned. */
  readonly page?: number | undefined
  /** Position in the file in bytes, when it is known. */
  readonly offset?: number | undefined
  /** Names of the sublevel concerned, from the outermost on; empty: the database's own keyspace. */
  readonly sublevel?: readonly string[] | undefined
  /** Encoded bounds of the keys concerned: `from` belongs to them, `to` does not; undefined is an open end. */
  readonly keyRange?: KeyRange | undefined
}

/** What `verify` has found. */
export interface VerifyReport {
  /** Whether there are no problems. */
  readonly ok: boolean
  /** Pages and segments of large values checked. */
  readonly pages: number
  /** Entries of all keyspaces. */
  readonly entries: number
  /** Everything that is wrong, in the order in which it was found. */
  readonly problems: readonly VerifyProblem[]
}

/** Checks what `snapshot` sees; damage is reported, not thrown. Throws `LIGHTNING_ABORTED`, `LIGHTNING_CLOSED`. */
export async function verify(core: Core, snapshot: EngineSnapshot, options: CareOptions): Promise<VerifyReport> {
  return await new Verification(core, snapshot, options).run()
}

/** The most problems that are reported, so that a database with damage everywhere does not fill the memory. */
const mostProblems = 10_000

interface Visit {
  readonly id: number
  readonly level: number | undefined
  readonly lower: Uint8Array | undefined
  readonly upper: Uint8Array | undefined
}

/** An entry whose value is a large one. */
interface LargeEntry {
  readonly key: Uint8Array
  readonly first: number
  readonly bytes: number
}

class Verification {
  readonly #core: Core
  readonly #snapshot: EngineSnapshot
  readonly #pace: Pace
  readonly #problems: VerifyProblem[] = []
  readonly #seen: Uint8Array
  /** Pages with a problem that has been noted: their images are not checked again. */
  readonly #faulty = new Set<number>()
  readonly #limit: number
  /** Whether a page is damaged that leads to others, which then cannot be reached. */
  #isCutOff = false
  #untold = 0
  #pages = 0
  #entries = 0

  constructor(core: Core, snapshot: EngineSnapshot, options: CareOptions) {
    this.#core = core
    this.#snapshot = snapshot
    this.#pace = new Pace(options)
    this.#limit = core.memory.word(TABLE_LIMIT)
    this.#seen = new Uint8Array(this.#limit)
  }

  async run(): Promise<VerifyReport> {
    // Every page is visited twice: in its tree, and as an image on disk.
    const total = this.#limit * 2
    await this.#checkTree(CATALOG_TREE, CATALOG_ROOT, undefined)
    await this.#checkTree(MAIN_TREE, MAIN_ROOT, [])
    for (const entry of this.#catalog()) await this.#checkTree(entry.id, entry.root, namesOf(entry.path))
    await this.#checkImages()
    for (const problem of checkMetas(this.#core)) this.#note(problem)
    await this.#checkTables()
    const turn = () => this.#turn(total)
    for (const problem of await checkExtents(this.#core, this.#snapshot.sequence, turn)) this.#note(problem)
    for (const problem of await checkLog(this.#core, turn)) this.#note(problem)
    this.#pace.finish(total)
    const problems = this.#problems
    if (this.#untold > 0) problems.push({ message: `${this.#untold} more problems were found. Run repair.` })
    return { ok: problems.length === 0, pages: this.#pages, entries: this.#entries, problems }
  }

  /** Lets other work run, which may close the database: then its files cannot be read any more. */
  async #turn(done: number): Promise<void> {
    await this.#pace.step(done, this.#limit * 2)
    this.#core.checkOpen()
  }

  #catalog() {
    try {
      return this.#core.catalog.list(new Uint8Array(0), this.#snapshot.use())
    } catch (error) {
      this.#report(error)
      this.#isCutOff = true
      return []
    }
  }

  /** Walks a tree from its root, checking each page against its parent's keys. */
  async #checkTree(tree: number, root: number, sublevel: readonly string[] | undefined): Promise<void> {
    const stack: Visit[] = [{ id: root, level: undefined, lower: undefined, upper: undefined }]
    while (true) {
      const visit = stack.pop()
      if (visit === undefined) return
      try {
        for (const large of this.#checkPage(tree, visit, stack)) await this.#checkLarge(large, sublevel)
      } catch (error) {
        this.#report(error, { sublevel, keyRange: { from: visit.lower, to: visit.upper } })
        if (visit.level !== 0) this.#isCutOff = true
      }
      await this.#turn(this.#pages)
    }
  }

  /** Checks a page, puts its children onto the stack, and returns its large values. */
  #checkPage(tree: number, visit: Visit, stack: Visit[]): readonly LargeEntry[] {
    const { id } = visit
    if (!this.#visit(id)) return []
    const page = this.#load(id)
    if (!this.#core.kernel.exports.isSound(page.address, id)) throw this.#wrong(id, 'is not sound')
    if (page.tree !== tree) throw this.#wrong(id, `belongs to keyspace ${page.tree} but is reached from ${tree}`)
    if (visit.level !== undefined && page.level !== visit.level) throw this.#wrong(id, 'stands at the wrong level')
    const { count } = page
    if (count > 0) {
      const first = page.key(0)
      const last = page.key(count - 1)
      if (visit.lower !== undefined && compareBytes(first, visit.lower) < 0)
        throw this.#wrong(id, 'has keys below its range')
      if (visit.upper !== undefined && compareBytes(last, visit.upper) >= 0)
        throw this.#wrong(id, 'has keys beyond its range')
    }
    if (page.level > 0) {
      for (let i = count; i >= 0; i--) {
        stack.push({
          id: page.child(i),
          level: page.level - 1,
          lower: i === 0 ? visit.lower : page.key(i - 1),
          upper: i === count ? visit.upper : page.key(i)
        })
      }
      return []
    }
    if (tree !== CATALOG_TREE) this.#entries += count
    const large: LargeEntry[] = []
    for (let i = 0; i < count; i++) {
      const reference = page.largeValue(i)
      if (reference !== undefined) large.push({ key: page.key(i), ...reference })
    }
    return large
  }

  /** Checks the segments of a large value, in turns with other work, since there may be thousands. */
  async #checkLarge({ key, first, bytes }: LargeEntry, sublevel: readonly string[] | undefined): Promise<void> {
    try {
      for (const segment of checkedSegments(this.#core, first, bytes, () => this.#snapshot.use())) {
        // From here on it was followed before, or it leads back into itself.
        if (!this.#visit(segment)) return
        await this.#turn(this.#pages)
      }
    } catch (error) {
      this.#report(error, { sublevel, keyRange: { from: key, to: behind(key) } })
    }
  }

  /** Notes that a page is reached. False, and a problem is noted: it was reached before, or there is no such page. */
  #visit(id: number): boolean {
    if (id < 1 || id >= this.#limit) {
      this.#note({
        message: `Page ${id} is referred to but does not exist. Restore a backup, or run repair.`,
        page: id
      })
      return false
    }
    if (this.#seen[id] !== 0) {
      this.#note({ message: `Page ${id} is referred to twice. Restore a backup, or run repair.`, page: id })
      return false
    }
    this.#seen[id] = 1
    this.#pages++
    return true
  }

  #load(id: number): PageView {
    while (true) {
      const address = this.#core.kernel.exports.resolve(id, this.#snapshot.use()) >>> 0
      if (address !== 0) return new PageView(this.#core.memory, address)
      this.#core.provide(MISS)
    }
  }

  /** Reads every image from disk, also those of pages that are in memory. */
  async #checkImages(): Promise<void> {
    const unreached: number[] = []
    for (let id = 1; id < this.#limit; id++) {
      const isReached = this.#seen[id] !== 0
      if (this.#checkImage(id, isReached) && !isReached) unreached.push(id)
      await this.#turn(this.#limit + id)
    }
    this.#noteUnreached(unreached)
  }

  /** Checks a page's table entry and image. Returns whether the page is in use. */
  #checkImage(id: number, isReached: boolean): boolean {
    const { memory, kernel } = this.#core
    const entry = kernel.exports.entryAt(id, this.#snapshot.use()) >>> 0
    const sector = memory.word(entry)
    const isUsed = sector !== 0 || kernel.exports.nextDirtyAt(id, id + 1, this.#snapshot.use()) !== 0
    if (!isUsed && isReached) {
      this.#note({
        message: `Page ${id} is referred to but has no image. Restore a backup, or run repair.`,
        page: id
      })
    }
    if (sector === 0) return isUsed
    // The pages of an empty database are those of the first commit, which is still to come.
    const lsn = memory.long(entry + 12)
    if (lsn > Math.max(1, this.#snapshot.sequence)) {
      this.#note({
        message: `Page ${id} is said to be of commit ${lsn}, which there is not yet. Run repair.`,
        page: id
      })
    }
    const isLarge = ((memory.word(entry + 4) >>> 24) & ENTRY_LARGE) !== 0
    if (!isLarge && !this.#faulty.has(id)) this.#checkChecksum(id, entry)
    return true
  }

  #checkChecksum(id: number, entry: number): void {
    const { memory, kernel, data } = this.#core
    const sector = memory.word(entry)
    const bytes = memory.word(entry + 4) & 0xffffff
    const checksum = memory.word(entry + 8)
    const image = memory.word(IMAGE)
    try {
      data.read(memory.bytes.subarray(image, image + bytes), sector)
      if (kernel.exports.xxh32(image, bytes, id) >>> 0 === checksum) return
      throw corrupt(`The image of page ${id} does not match its checksum.`, {
        file: data.file.name,
        page: id,
        offset: sector * sectorBytes
      })
    } catch (error) {
      this.#report(error)
    }
  }

  #noteUnreached(ids: readonly number[]): void {
    if (ids.length === 0) return
    const [page] = ids
    const [pages, them] = ids.length === 1 ? [`Page ${page} is`, 'it'] : [`Pages ${idsText(ids)} are`, 'them']
    const message = this.#isCutOff
      ? `${pages} in use but could not be reached, since pages that may lead there are damaged. Run repair, which finds ${them}.`
      : `${pages} in use but nothing refers to ${them}. This only takes space; repair gives it back.`
    this.#note({ message, file: this.#core.data.file.name, page })
  }

  /** Reads the chunks of the last checkpoint, and their copies, from disk. */
  async #checkTables(): Promise<void> {
    const { data, directory, memory, kernel } = this.#core
    const check = (chunk: number, sector: number, message: string): void => {
      if (sector === 0) return
      try {
        const image = memory.word(IMAGE)
        data.read(memory.bytes.subarray(image, image + chunkBytes), sector)
        if (kernel.exports.xxh32(image, chunkBytes, chunk) >>> 0 === directory.checksum(chunk)) return
        const place = { file: data.file.name, offset: sector * sectorBytes }
        throw new LightningError('LIGHTNING_CORRUPT', message, place)
      } catch (error) {
        this.#report(error)
      }
    }
    for (let chunk = 0; chunk < directory.length; chunk++) {
      check(
        chunk,
        directory.sector(chunk),
        `Chunk ${chunk} of the page table is damaged on disk; it is whole in memory. Back up now, then repair.`
      )
      check(
        chunk,
        directory.copySector(chunk),
        `The copy of chunk ${chunk} of the page table is damaged. Nothing is lost; repair makes it anew.`
      )
      await this.#turn(this.#limit * 2)
    }
  }

  #wrong(page: number, what: string): LightningError {
    const message = `Page ${page} ${what}. Restore a backup, or run repair.`
    return new LightningError('LIGHTNING_CORRUPT', message, { file: this.#core.data.file.name, page })
  }

  #report(error: unknown, keys: { sublevel?: readonly string[] | undefined; keyRange?: KeyRange } = {}): void {
    if (!(error instanceof LightningError) || (error.code !== 'LIGHTNING_CORRUPT' && error.code !== 'LIGHTNING_IO'))
      throw error
    const { message, file, page, offset } = error
    const { sublevel, keyRange } = keys
    if (page !== undefined) this.#faulty.add(page)
    const of = sublevel === undefined ? '' : ` of ${sublevelText(sublevel)}`
    const what = keyRange === undefined ? '' : ` It concerns ${rangeText(keyRange)}${of}.`
    this.#note({ message: message + what, file, page, offset, sublevel, keyRange })
  }

  #note(problem: VerifyProblem): void {
    if (this.#problems.length < mostProblems) this.#problems.push(problem)
    else this.#untold++
  }
}
