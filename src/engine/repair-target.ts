// The new database that a repair fills: keyspaces of the damaged one by the ids that its pages and log name them with.
import { CATALOG_TREE, MAIN_TREE } from '../../assembly/operations.ts'
import { viewEncoding } from '../encoding/bytes-encoding.ts'
import { behind } from './bounds.ts'
import { pathOf } from './keyspace-path.ts'
import type { Engine } from './engine.ts'
import type { KeyRange } from './key-text.ts'
import type { EngineOperation, KeyOperation } from './operation.ts'
import type { Tree } from './tree.ts'

const bytes = viewEncoding()
const rootPath = new Uint8Array(0)
const anyKey = new Uint8Array(1)

/** Operations of one commit to the new database take at most about so many bytes, unless a single one is larger. */
const commitBytes = 1 << 20

export class RepairTarget {
  readonly engine: Engine
  readonly #trees = new Map<number, Tree>()
  readonly #names = new Set<string>()
  #pending: EngineOperation[] = []
  #pendingBytes = 0
  /** Ids of keyspaces whose names were not found, with the names that they were given. */
  readonly unnamed = new Map<number, string>()

  constructor(engine: Engine) {
    this.engine = engine
    this.#trees.set(MAIN_TREE, engine.tree(rootPath))
  }

  /** The keyspace `id` has this path in the catalog. It exists from now on, be it empty. */
  name(id: number, path: Uint8Array): void {
    const tree = this.engine.tree(path)
    this.flush()
    this.#trees.set(id, tree)
    this.#names.add(tree.name)
    const made: readonly EngineOperation[] = [putOf(tree, anyKey, rootPath), delOf(tree, anyKey)]
    if (this.engine.treeId(tree) === 0) this.engine.batch(made)
  }

  /** The keyspace `id` is dropped, with all below its path. */
  drop(id: number, path: Uint8Array): void {
    this.flush()
    const known = this.#trees.get(id)
    if (known !== undefined && known.path.length > 0) this.engine.drop(known.path)
    if (path.length > 0) this.engine.drop(path)
    this.#trees.delete(id)
    this.unnamed.delete(id)
  }

  /** Path of the keyspace; undefined when its name was not found. */
  pathOf(id: number): Uint8Array | undefined {
    if (id === CATALOG_TREE || this.unnamed.has(id)) return undefined
    return this.#trees.get(id)?.path
  }

  put(id: number, key: Uint8Array, value: Uint8Array): void {
    this.#add(putOf(this.#tree(id), key, value), key.length + value.length)
  }

  del(id: number, key: Uint8Array): void {
    this.#add(delOf(this.#tree(id), key), key.length)
  }

  /** Deletes [lower, upper); `upper` undefined: all further ones. */
  clear(id: number, lower: Uint8Array, upper: Uint8Array | undefined): void {
    this.#add({ type: 'clear', tree: this.#tree(id), lower, upper }, 64)
  }

  /** Applies what was gathered. */
  flush(): void {
    if (this.#pending.length === 0) return
    const operations = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    this.engine.batch(operations)
  }

  /** The range with open ends closed by the nearest keys that were found beside it. */
  narrowed(id: number, { from, to }: KeyRange): KeyRange {
    this.flush()
    return {
      from: from ?? (to === undefined ? undefined : this.#nearest(id, undefined, to)),
      to: to ?? (from === undefined ? undefined : this.#nearest(id, from, undefined))
    }
  }

  #nearest(id: number, lower: Uint8Array | undefined, upper: Uint8Array | undefined): Uint8Array | undefined {
    const reverse = lower === undefined
    const range = { lower, lowerOpen: false, upper, upperOpen: true, reverse, limit: 1, empty: false }
    const cursor = this.engine.cursor(this.#tree(id), undefined, range, true)
    try {
      if (cursor.fill() === 0) return undefined
      cursor.row(0)
      const key = cursor.bytes.slice(cursor.keyStart, cursor.keyEnd)
      return reverse ? behind(key) : key
    } finally {
      cursor.close()
    }
  }

  #add(operation: EngineOperation, bytes: number): void {
    this.#pending.push(operation)
    this.#pendingBytes += bytes
    if (this.#pendingBytes >= commitBytes) this.flush()
  }

  #tree(id: number): Tree {
    const known = this.#trees.get(id)
    if (known !== undefined) return known
    let name = `recovered-${id}`
    while (this.#names.has(this.engine.tree(pathOf(rootPath, name)).name)) name += '-again'
    const tree = this.engine.tree(pathOf(rootPath, name))
    this.#trees.set(id, tree)
    this.unnamed.set(id, name)
    return tree
  }
}

function putOf(tree: Tree, key: Uint8Array, value: Uint8Array): KeyOperation {
  return { type: 'put', tree, key, keyEncoding: bytes, value, valueEncoding: bytes }
}

function delOf(tree: Tree, key: Uint8Array): KeyOperation {
  return { type: 'del', tree, key, keyEncoding: bytes }
}
