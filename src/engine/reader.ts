// Point reads: the key is encoded into the kernel's memory, one call finds the value, and it is decoded in place.
import { CELL_LARGE } from '../../assembly/page.ts'
import { KEY, MAX_KEY_BYTES, VALUE_BYTES, VALUE_FLAGS } from '../../assembly/state.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { KernelExports } from '../kernel/exports.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'
import { firstStatus, missingKey } from '../kernel/status.ts'
import type { Core } from './core.ts'
import { readLarge } from './large-values.ts'
import type { EngineSnapshot } from './snapshots.ts'
import { encodeKey } from './staging.ts'
import type { TreeHandle } from './tree.ts'

export class Reader {
  readonly #core: Core
  readonly #memory: KernelMemory
  readonly #get: KernelExports['get']
  /** Scratch for the bytes that callbacks get, one for each depth of nesting. */
  readonly #buffers: Uint8Array[] = []

  constructor(core: Core) {
    this.#core = core
    this.#memory = core.memory
    this.#get = core.kernel.exports.get
  }

  get(
    tree: TreeHandle,
    snapshot: EngineSnapshot | undefined,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    valueEncoding: ValueEncoding<unknown>
  ): unknown {
    const at = this.#find(tree, snapshot, key, keyEncoding)
    if (at === 0) return undefined
    const { memory } = this.#core
    if ((memory.word(VALUE_FLAGS) & CELL_LARGE) !== 0) {
      const bytes = this.#readLarge(at, snapshot)
      return valueEncoding.readOwned(bytes, 0, bytes.length)
    }
    return valueEncoding.read(memory.bytes, at, at + memory.word(VALUE_BYTES))
  }

  has(
    tree: TreeHandle,
    snapshot: EngineSnapshot | undefined,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>
  ): boolean {
    return this.#find(tree, snapshot, key, keyEncoding) !== 0
  }

  /** Runs the callback on a scratch copy of the value's bytes; undefined when there is no such key. */
  read(
    tree: TreeHandle,
    snapshot: EngineSnapshot | undefined,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    callback: (bytes: Uint8Array) => unknown
  ): unknown {
    const at = this.#find(tree, snapshot, key, keyEncoding)
    if (at === 0) return undefined
    const { memory, loan } = this.#core
    if ((memory.word(VALUE_FLAGS) & CELL_LARGE) !== 0) return loan.lend(this.#readLarge(at, snapshot), callback)
    // Not in the kernel's scratch memory, which reads inside the callback overwrite. Not the page: it could be written
    // to.
    return loan.lend(this.#scratch(at, memory.word(VALUE_BYTES)), callback)
  }

  /** A scratch copy of bytes in kernel memory; one buffer for each depth of nested callbacks. */
  #scratch(at: number, length: number): Uint8Array {
    const { depth } = this.#core.loan
    let buffer = this.#buffers[depth]
    if (buffer === undefined || buffer.length < length) {
      buffer = new Uint8Array(Math.max(1_024, length * 2))
      this.#buffers[depth] = buffer
    }
    buffer.set(this.#core.memory.bytes.subarray(at, at + length))
    return buffer.subarray(0, length)
  }

  #readLarge(at: number, snapshot: EngineSnapshot | undefined): Uint8Array {
    const view = new DataView(this.#core.memory.bytes.buffer, at, 8)
    return readLarge(
      this.#core,
      view.getUint32(0, true),
      view.getUint32(4, true),
      snapshot === undefined ? 0 : snapshot.use()
    )
  }

  /** Address of the value; 0 when there is no such key. */
  #find(
    tree: TreeHandle,
    snapshot: EngineSnapshot | undefined,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>
  ): number {
    const core = this.#core
    if (core.mustCheck) core.checkOpen()
    if (snapshot !== undefined || keyEncoding.callsBack || !tree.locate(core)) {
      return this.#findSlowly(tree, snapshot, key, keyEncoding)
    }
    const keyBytes = keyEncoding.write(key, this.#memory.bytes, KEY, MAX_KEY_BYTES)
    // The key may be a proxy, whose code may have put something, or closed the database.
    if (keyBytes <= 0 || core.mustCheck) return this.#findSlowly(tree, snapshot, key, keyEncoding)
    const at = this.#get(tree.id, tree.root, 0, keyBytes) >>> 0
    if (at < firstStatus) return at
    return at === missingKey ? 0 : this.#findSlowly(tree, snapshot, key, keyEncoding)
  }

  /** The same for all cases: snapshots, encodings that run the caller's code, pages that are not in memory. */
  #findSlowly(
    tree: TreeHandle,
    snapshot: EngineSnapshot | undefined,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>
  ): number {
    const core = this.#core
    const bytes = encodeKey(key, keyEncoding)
    core.checkOpen()
    const version = snapshot?.use() ?? 0
    const place = snapshot === undefined ? (tree.locate(core) ? tree : undefined) : snapshot.place(tree)
    if (place === undefined) return 0
    while (true) {
      this.#memory.bytes.set(bytes, KEY)
      const at = this.#get(place.id, place.root, version, bytes.length) >>> 0
      if (at < firstStatus) return at
      if (at === missingKey) return 0
      core.provide(at | 0)
    }
  }
}
