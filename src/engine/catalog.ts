// The catalog: a tree of its own that maps the path of each sublevel (keyspace-path.ts) to the tree that holds its
// entries.
import { CATALOG_ROOT, CATALOG_TREE } from '../../assembly/operations.ts'
import { SCAN_LOWER_OPEN } from '../../assembly/scan.ts'
import { KEY, OUT, OUT_MORE, VALUE_BYTES, VALUE_FLAGS, WANTED_TREE } from '../../assembly/state.ts'
import { corrupt } from '../store/failures.ts'
import { firstStatus, missingKey } from '../kernel/status.ts'
import { dataFileName } from '../store/format.ts'
import { namesOf } from './keyspace-path.ts'
import { type ScannedCore, scanRange } from './scan-range.ts'

/** Where a tree is. */
export interface TreePlace {
  readonly id: number
  readonly root: number
}

/** A sublevel's entry in the catalog. */
export interface CatalogEntry extends TreePlace {
  readonly path: Uint8Array
}

const catalogPlace: TreePlace = { id: CATALOG_TREE, root: CATALOG_ROOT }
const rowsPerBatch = 256
/** Bytes of an entry's value: id of the tree, page id of its root. */
const placeBytes = 8
/** Ids below are those of the catalog and of the database's own keyspace. */
const firstTree = 2

export class Catalog {
  readonly #core: ScannedCore
  /** Paths by tree id, as last listed. Trees that are gone may still be among them. */
  readonly #paths = new Map<number, Uint8Array>()

  constructor(core: ScannedCore) {
    this.#core = core
  }

  /** The tree of a path at a snapshot (0: now); undefined when there is none. Throws `LIGHTNING_CORRUPT`. */
  find(path: Uint8Array, snapshot: number): TreePlace | undefined {
    const { memory, kernel } = this.#core
    while (true) {
      memory.bytes.set(path, KEY)
      const at = kernel.exports.get(CATALOG_TREE, CATALOG_ROOT, snapshot, path.length) >>> 0
      if (at === missingKey) return undefined
      if (at < firstStatus) {
        return this.#place(path, at, memory.word(VALUE_BYTES), memory.word(VALUE_FLAGS))
      }
      this.#core.provide(at | 0)
    }
  }

  /** Tells the kernel the root of the tree that it asks for. Throws `LIGHTNING_CORRUPT` when there is no such tree. */
  registerWanted(): void {
    const id = this.#core.memory.word(WANTED_TREE)
    const entry = this.#whereKnown(id) ?? this.#whereListed(id)
    if (entry === undefined) throw corrupt(`The log names keyspace ${id}, which does not exist.`)
    if (entry.root === 0) throw corrupt(`The catalog does not tell where keyspace ${id} begins.`)
    this.#core.kernel.exports.registerTree(id, entry.root)
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
    throw corrupt(`The catalog in ${dataFileName} names keyspace ${id} twice.`, { file: dataFileName })
  }

  /** All entries whose path begins with `prefix`, in order, at a snapshot (0: now). Throws `LIGHTNING_CORRUPT`. */
  list(prefix: Uint8Array, snapshot: number): CatalogEntry[] {
    const entries: CatalogEntry[] = []
    // Bytes 0xff never begin a path, so this bounds all paths with the prefix.
    const upper = new Uint8Array(prefix.length + 1).fill(0xff)
    upper.set(prefix)
    let lower = prefix
    let options = 0
    const { memory } = this.#core
    while (true) {
      const rows = scanRange(this.#core, catalogPlace, snapshot, options, lower, upper, rowsPerBatch)
      let at = memory.word(OUT)
      for (let i = 0; i < rows; i++) {
        const keyBytes = memory.word(at)
        const word = memory.word(at + 4)
        const valueBytes = word & 0xffffff
        const key = at + 8
        const path = memory.bytes.slice(key, key + keyBytes)
        entries.push({ path, ...this.#place(path, key + keyBytes, valueBytes, word >>> 24) })
        at = (key + keyBytes + valueBytes + 3) & ~3
        lower = path
      }
      if (memory.word(OUT_MORE) === 0 || rows === 0) return entries
      options = SCAN_LOWER_OPEN
    }
  }

  /**
   * Reads an entry's value at `at`. It is checked, since a sound checksum does not prove that what was written is
   * right.
   */
  #place(path: Uint8Array, at: number, bytes: number, flags: number): TreePlace {
    if (bytes === placeBytes && flags === 0) {
      const view = new DataView(this.#core.memory.bytes.buffer, at, placeBytes)
      const id = view.getUint32(0, true)
      if (id >= firstTree) return { id, root: view.getUint32(4, true) }
    }
    const name = namesOf(path).map(each => JSON.stringify(each))
    throw corrupt(`The catalog in ${dataFileName} does not tell where the sublevel ${name.join(' / ')} begins.`, {
      file: dataFileName
    })
  }
}
