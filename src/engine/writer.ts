// Commits. Before the call returns, the operations are encoded, applied to the trees in memory and framed for the log:
// all of them or none.
//
// Single operations take the short way: key and value are encoded straight into the log's buffer, and one kernel call
// does the rest. Whatever does not fit that (batches, ranges, large values, encodings that call the caller's code) is
// encoded into a `Staging` first and then copied into the buffer. Puts that come together can be applied together, too
// (`staged-puts.ts`).
import { APPLY_AT, APPLY_PHASE, MAX_KEY_BYTES, OK, RELEASED_COUNT } from '../../assembly/state.ts'
import { CONTINUES } from '../../assembly/log.ts'
import { CLEAR, DROP, OPERATION_HEADER_BYTES } from '../../assembly/operations.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { inOperation } from '../encoding/failure.ts'
import { isDiskFull } from '../store/failures.ts'
import type { Checkpoint } from './checkpoint.ts'
import { reportOperations } from './commit-observer.ts'
import { blocksOf, CommitRoom, pathPages } from './commit-room.ts'
import type { Committer } from './committer.ts'
import type { Core } from './core.ts'
import { releaseSegments, writeSegments } from './large-values.ts'
import type { EngineOperation } from './operation.ts'
import type { Demand, Space } from './space.ts'
import { StagedPuts } from './staged-puts.ts'
import { checkKeyBytes, Staging } from './staging.ts'
import { handleOf, type TreeHandle } from './tree.ts'

/**
 * Bytes of log for any single operation whose key and value are stored in a page: header, key and value are shorter.
 */
const operationRoom = 32_768
/** Staging buffers, at most half a MiB each, that are kept for the next batches. */
const mostSpares = 4
const none: readonly Uint8Array[] = []

export class Writer {
  readonly #core: Core
  readonly #committer: Committer
  readonly #space: Space
  readonly #room: CommitRoom
  readonly #staged: StagedPuts
  readonly #inlineBytes: number
  /**
   * Counts encodings begun, and commits of what is encoded already. What has begun meanwhile was begun by the caller's
   * code, run by an encoding.
   */
  #encodings = 0
  /** Staging buffers of earlier batches, for the next one. */
  readonly #spares: Uint8Array[] = []

  constructor(core: Core, committer: Committer, checkpoint: Checkpoint, space: Space) {
    this.#core = core
    this.#committer = committer
    this.#space = space
    this.#room = new CommitRoom(core, committer, checkpoint, space)
    this.#staged = new StagedPuts(core, committer, this.#room, commits => this.#committed(commits))
    core.staged = this.#staged
    this.#inlineBytes = core.kernel.exports.inlineBytes()
  }

  /** Puts one entry. It may be applied a little later, with others; nobody can tell. */
  putTogether(
    tree: TreeHandle,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): void {
    if (!this.#staged.stage(tree, key, keyEncoding, value, valueEncoding)) {
      this.put(tree, key, keyEncoding, value, valueEncoding)
    }
  }

  put(
    tree: TreeHandle,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): void {
    const core = this.#core
    core.checkWritable()
    if (keyEncoding.callsBack || valueEncoding.callsBack || !tree.locate(core)) {
      this.#alone({ type: 'put', tree, key, keyEncoding, value, valueEncoding })
      return
    }
    this.#room.make(operationRoom, 1, this.#inlineBytes)
    const { memory } = core
    const encoding = ++this.#encodings
    const { bytes } = memory
    const { generation } = core
    const at = this.#nextOperation()
    let keyBytes = -1
    let valueBytes = -1
    const isNested = core.isEncoding
    core.isEncoding = true
    try {
      keyBytes = keyEncoding.write(key, bytes, at, MAX_KEY_BYTES)
      if (keyBytes === 0) checkKeyBytes(0)
      if (keyBytes > 0) valueBytes = valueEncoding.write(value, bytes, at + keyBytes, this.#inlineBytes - keyBytes)
    } finally {
      core.isEncoding = isNested
    }
    if (valueBytes < 0 || encoding !== this.#encodings || core.isClosed || !this.#isNextOperation(at, generation)) {
      // Too long for a page, or a getter in the value has used the database meanwhile; if it was closed, that throws.
      this.#alone({ type: 'put', tree, key, keyEncoding, value, valueEncoding })
      return
    }
    core.observer?.key(tree.id, core.appliedLsn + 1, bytes, at, at + keyBytes)
    this.#finish(core.kernel.exports.commitPut(tree.id, keyBytes, valueBytes))
  }

  del(tree: TreeHandle, key: unknown, keyEncoding: KeyEncoding<unknown>): void {
    const core = this.#core
    core.checkWritable()
    if (keyEncoding.callsBack || !tree.locate(core)) {
      this.#alone({ type: 'del', tree, key, keyEncoding })
      return
    }
    this.#room.make(operationRoom, 1, 0)
    const { memory } = core
    const encoding = ++this.#encodings
    const { generation } = core
    const at = this.#nextOperation()
    let keyBytes = -1
    const isNested = core.isEncoding
    core.isEncoding = true
    try {
      keyBytes = keyEncoding.write(key, memory.bytes, at, MAX_KEY_BYTES)
      if (keyBytes === 0) checkKeyBytes(0)
    } finally {
      core.isEncoding = isNested
    }
    if (keyBytes < 0 || encoding !== this.#encodings || core.isClosed || !this.#isNextOperation(at, generation)) {
      this.#alone({ type: 'del', tree, key, keyEncoding })
      return
    }
    core.observer?.key(tree.id, core.appliedLsn + 1, memory.bytes, at, at + keyBytes)
    this.#finish(core.kernel.exports.commitDelete(tree.id, keyBytes))
  }

  /** Address at which the key of the next single operation is to be written. */
  #nextOperation(): number {
    return (this.#core.kernel.exports.nextOperation() >>> 0) + OPERATION_HEADER_BYTES
  }

  /** Whether `at` is still that address: the caller's code, run by an encoding, may have flushed the log. */
  #isNextOperation(at: number, generation: number): boolean {
    return at === this.#nextOperation() && generation === this.#core.generation
  }

  /** Finishes a commit that the kernel has begun: provides what it asks for until it is done. */
  #finish(begun: number): void {
    const core = this.#core
    if (begun !== OK) {
      try {
        core.complete(begun, core.kernel.exports.resumeCommit)
      } catch (error) {
        if (core.failure !== undefined || this.#isUntouched(undefined)) throw error
        throw this.#committer.undo(error)
      }
    }
    this.#committed()
  }

  /** Applies all operations as one commit. Everything is encoded before anything changes. */
  batch(operations: Iterable<EngineOperation>): void {
    const position = { index: -1 }
    try {
      this.#batch(operations, position)
    } catch (error) {
      throw inOperation(error, position.index)
    }
  }

  /** Commits one operation that cannot be encoded straight into the log's buffer. */
  #alone(operation: EngineOperation): void {
    this.#batch([operation], { index: -1 })
  }

  /** `position.index` is the operation that is being encoded, -1 when none is. */
  #batch(operations: Iterable<EngineOperation>, position: { index: number }): void {
    const core = this.#core
    core.checkWritable()
    this.#encodings++
    // The caller's code, run by an encoding, may begin another batch. It does not get the buffer of this one.
    const staging = new Staging(this.#inlineBytes, this.#spares)
    const made = new Map<string, number>()
    let isShrinking = true
    let clears = true
    const version = core.catalogVersion
    for (const operation of operations) {
      position.index++
      const tree = handleOf(operation.tree)
      let id = tree.locate(core) ? tree.id : (made.get(tree.name) ?? 0)
      if (operation.type === 'put' || operation.type === 'name') {
        isShrinking = false
        if (id === 0) {
          id = core.nextTree++
          made.set(tree.name, id)
          staging.create(id, tree.path)
        }
        if (operation.type === 'name') staging.name(id, operation.key, operation.keyEncoding, operation.description)
        else staging.put(id, operation.key, operation.keyEncoding, operation.value, operation.valueEncoding)
      } else if (operation.type === 'clear') {
        if (id !== 0) staging.clear(id, operation.lower, operation.upper)
      } else {
        clears = false
        // Encoded even when there is nothing to delete, so that a bad key is refused.
        if (id === 0) checkKeyBytes(operation.keyEncoding.encode(operation.key).length)
        else staging.del(id, operation.key, operation.keyEncoding)
      }
    }
    position.index = -1
    core.checkWritable()
    if (core.catalogVersion !== version) {
      // The caller's code, run by an encoding, has created or dropped a keyspace: what is staged may name the wrong
      // tree.
      this.#batch(operations, position)
      return
    }
    this.#commit(staging, isShrinking, isShrinking && clears)
    for (const buffer of staging.buffers) if (this.#spares.length < mostSpares) this.#spares.push(buffer)
    if (made.size > 0) core.catalogVersion++
  }

  /** Writes a large value that nothing names yet. The result describes it, for a later commit that names it. */
  writeValue(value: Uint8Array): Uint8Array {
    const core = this.#core
    core.checkWritable()
    const demand = (): Demand => ({
      logBytes: operationRoom,
      pages: pathPages,
      blocks: blocksOf([{ value }]),
      grows: true,
      clears: false
    })
    return core.events.afterCall(() => {
      this.#space.ensure(demand)
      return this.#writeSegments(value)
    })
  }

  /** Deletes the range [lower, upper) as one commit. */
  clear(tree: TreeHandle, lower: Uint8Array, upper: Uint8Array | undefined): void {
    this.#core.checkWritable()
    if (!tree.locate(this.#core)) return
    const staging = new Staging(this.#inlineBytes)
    staging.clear(tree.id, lower, upper)
    this.#commit(staging, true, true)
  }

  /** Deletes these keys as one commit. */
  delAll(tree: TreeHandle, keys: readonly Uint8Array[]): void {
    this.#core.checkWritable()
    if (!tree.locate(this.#core) || keys.length === 0) return
    const staging = new Staging(this.#inlineBytes)
    for (const key of keys) staging.delBytes(tree.id, key)
    this.#commit(staging, true)
  }

  /** Drops the keyspace at `path` and all below it as one commit. */
  drop(path: Uint8Array): void {
    const core = this.#core
    core.checkWritable()
    const staging = new Staging(this.#inlineBytes)
    const entries = core.catalog.list(path, 0)
    if (entries.length === 0) return
    for (const entry of entries) staging.drop(entry.id, entry.path)
    this.#commit(staging, true, true)
    core.catalogVersion++
  }

  #commit(staging: Staging, isShrinking: boolean, clears = false): void {
    const core = this.#core
    const { memory } = core
    this.#encodings++
    staging.finish()
    const { parts, values } = staging
    if (parts.length === 0) return
    const { totalBytes, count } = staging
    this.#room.make(totalBytes + parts.length * 128, count, isShrinking ? 0 : totalBytes, values, clears)
    const written = values.length === 0 ? none : core.events.afterCall(() => this.#writeValues(staging))
    // Read only now: the calls above may have ended transactions, and the observer with the last of them.
    const { observer } = core
    if (observer !== undefined) for (const part of parts) reportOperations(part, core.appliedLsn + 1, observer)
    const { commit, resumeCommit, frameOperations } = core.kernel.exports
    let done = 0
    let isBegun = false
    try {
      for (const part of parts) {
        this.#committer.prepare(part.length)
        memory.bytes.set(part, frameOperations() >>> 0)
        isBegun = true
        core.complete(commit(part.length, done + 1 < parts.length ? CONTINUES : 0), resumeCommit)
        done++
        if (done === parts.length) break
        core.pager.drainReleased()
        core.pager.limitDirty()
      }
    } catch (error) {
      if (core.failure !== undefined) throw error
      if (isBegun && !(done === 0 && this.#isUntouched(parts[0]))) throw this.#committer.undo(error)
      for (const description of written) releaseSegments(core, description)
      throw error
    }
    this.#committed()
  }

  /** Writes the segments of large values and completes the operations that name them. */
  #writeValues(staging: Staging): Uint8Array[] {
    const written: Uint8Array[] = []
    try {
      for (const { part, at, value } of staging.values) {
        const description = this.#writeSegments(value)
        written.push(description)
        staging.parts[part]?.set(description, at)
      }
    } catch (error) {
      for (const description of written) releaseSegments(this.#core, description)
      throw error
    }
    return written
  }

  #writeSegments(value: Uint8Array): Uint8Array {
    try {
      return writeSegments(this.#core, value)
    } catch (error) {
      // There is no free piece that is long enough, or the disk is full although it has reported space.
      throw isDiskFull(error) ? this.#space.refuse(error) : error
    }
  }

  #isUntouched(part: Uint8Array | undefined): boolean {
    const { memory, kernel } = this.#core
    const type = part?.[0]
    if (type === CLEAR || type === DROP) return false
    return memory.word(APPLY_PHASE) === 0 && memory.word(APPLY_AT) === kernel.exports.nextOperation() >>> 0
  }

  #committed(commits = 1): void {
    const { memory, pager, options, isEncoding } = this.#core
    if (memory.word(RELEASED_COUNT) !== 0) pager.drainReleased()
    try {
      pager.limitDirty()
    } catch (error) {
      // This commit is complete and stays. The next one is refused unless the pages can be written by then.
      this.#room.noteOverfull()
      if (isDiskFull(error)) this.#space.noteFull()
      options.logger?.warn('Pages could not be written', error)
    }
    this.#committer.committed(commits)
    // An encoding further up the stack has called the caller's code, which made this commit, and will go on writing where
    // the commit stands in the log's buffer.
    if (isEncoding && PLANTED_BUG !== 36) this.#committer.writeOut()
  }
}
