// The catalog: a tree of its own that maps the path of each sublevel (keyspace-path.ts) to the tree that holds its
// entries.
import { CATALOG_ROOT, CATALOG_TREE } from '../../assembly/operations.ts'
import { SCAN_LOWER, SCAN_LOWER_OPEN, SCAN_UPPER } from '../../assembly/scan.ts'
import { KEY, KEY2, OUT, OUT_MORE, VALUE_BYTES, VALUE_FLAGS, WANTED_TREE } from '../../assembly/state.ts'
import { LightningError } from '../errors.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'
import type { Kernel } from '../kernel/load.ts'
import { firstStatus, missingKey } from '../kernel/status.ts'
import { dataFileName } from '../store/format.ts'
import { namesOf } from './keyspace-path.ts'
import type { Pager } from './pager.ts'

/** Where a tree is. */
export interface TreePlace {
  readonly id: number
  readonly root: number
}

/** A sublevel's entry in the catalog. */
export interface CatalogEntry extends TreePlace {
  readonly path: Uint8Array
}

const rowsPerBatch = 256
/** Bytes of an entry's value: id of the tree, page id of its root. */
const placeBytes = 8
/** Ids below are those of the catalog and of the database's own keyspace. */
const firstTree = 2

export class Catalog {
  readonly #kernel: Kernel
  readonly #memory: KernelMemory
  readonly #pager: Pager
  /** Paths by tree id, as last listed. Trees that are gone may still be among them. */
  readonly #paths = new Map<number, Uint8Array>()

  constructor(kernel: Kernel, memory: KernelMemory, pager: Pager) {
    this.#kernel = kernel
    this.#memory = memory
    this.#pager = pager
  }

  /** The tree of a path at a snapshot (0: now); undefined when there is none. Throws `LIGHTNING_CORRUPT`. */
  find(path: Uint8Array, snapshot: number): TreePlace | undefined {
    while (true) {
      this.#memory.bytes.set(path, KEY)
      const at = this.#kernel.exports.get(CATALOG_TREE, CATALOG_ROOT, snapshot, path.length) >>> 0
      if (at === missingKey) return undefined
      if (at < firstStatus) {
        return this.#place(path, at, this.#memory.word(VALUE_BYTES), this.#memory.word(VALUE_FLAGS))
      }
      this.#pager.provide(at | 0)
    }
  }

  /** Tells the kernel the root of the tree that it asks for. Throws `LIGHTNING_CORRUPT` when there is no such tree. */
  registerWanted(): void {
    const id = this.#memory.word(WANTED_TREE)
    const entry = this.#whereKnown(id) ?? this.#whereListed(id)
    const wrong =
      entry === undefined
        ? `The log names keyspace ${id}, which does not exist.`
        : entry.root === 0
          ? `The catalog does not tell where keyspace ${id} begins.`
          : undefined
    if (entry === undefined || wrong !== undefined) {
      throw new LightningError('LIGHTNING_CORRUPT', `${wrong} Restore a backup, or run repair.`)
    }
    this.#kernel.exports.registerTree(id, entry.root)
  }

  /** Finds a tree by the path that was noted for it: listing the whole catalog each time would be slow. */
  #whereKnown(id: number): TreePlace | undefined {
    const path = this.#paths.get(id)
    const place = path === undefined ? undefined : this.find(path, 0)
    return place?.id === id ? place : undefined
  }

  /**
   * Finds a tree by listing the catalog. Throws when two paths name it: dropping one would free the pages of the other.
   */
  #whereListed(id: number): TreePlace | undefined {
    this.#paths.clear()
    const doubled = new Set<number>()
    let found: TreePlace | undefined
    for (const entry of this.list(new Uint8Array(0), 0)) {
      if (this.#paths.has(entry.id)) doubled.add(entry.id)
      this.#paths.set(entry.id, entry.path)
      if (entry.id === id) found = entry
    }
    // They must not be found by their paths later, without this check.
    for (const each of doubled) this.#paths.delete(each)
    if (!doubled.has(id)) return found
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `The catalog in ${dataFileName} names keyspace ${id} twice. Restore a backup, or run repair.`,
      { file: dataFileName }
    )
  }

  /** All entries whose path begins with `prefix`, in order, at a snapshot (0: now). Throws `LIGHTNING_CORRUPT`. */
  list(prefix: Uint8Array, snapshot: number): CatalogEntry[] {
    const entries: CatalogEntry[] = []
    // Bytes 0xff never begin a path, so this bounds all paths with the prefix.
    const upper = new Uint8Array(prefix.length + 1).fill(0xff)
    upper.set(prefix)
    let lower = prefix
    let options = SCAN_LOWER | SCAN_UPPER
    while (true) {
      const rows = this.#scan(lower, upper, options, snapshot)
      let at = this.#memory.word(OUT)
      for (let i = 0; i < rows; i++) {
        const keyBytes = this.#memory.word(at)
        const word = this.#memory.word(at + 4)
        const valueBytes = word & 0xffffff
        const key = at + 8
        const path = this.#memory.bytes.slice(key, key + keyBytes)
        entries.push({ path, ...this.#place(path, key + keyBytes, valueBytes, word >>> 24) })
        at = (key + keyBytes + valueBytes + 3) & ~3
        lower = path
      }
      if (this.#memory.word(OUT_MORE) === 0 || rows === 0) return entries
      options |= SCAN_LOWER_OPEN
    }
  }

  /** Scans the catalog until the kernel has the pages for it. Returns the number of rows in the kernel's OUT area. */
  #scan(lower: Uint8Array, upper: Uint8Array, options: number, snapshot: number): number {
    const { scan } = this.#kernel.exports
    while (true) {
      this.#memory.bytes.set(lower, KEY)
      this.#memory.bytes.set(upper, KEY2)
      const rows = scan(CATALOG_TREE, CATALOG_ROOT, snapshot, options, lower.length, upper.length, rowsPerBatch)
      if (rows >= 0) return rows
      this.#pager.provide(rows)
    }
  }

  /**
   * Reads an entry's value at `at`. It is checked, since a sound checksum does not prove that what was written is
   * right.
   */
  #place(path: Uint8Array, at: number, bytes: number, flags: number): TreePlace {
    if (bytes === placeBytes && flags === 0) {
      const view = new DataView(this.#memory.bytes.buffer, at, placeBytes)
      const id = view.getUint32(0, true)
      if (id >= firstTree) return { id, root: view.getUint32(4, true) }
    }
    const name = namesOf(path).map(each => JSON.stringify(each))
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `The catalog in ${dataFileName} does not tell where the sublevel ${name.join(' / ')} begins. Restore a backup, or run repair.`,
      { file: dataFileName }
    )
  }
}
