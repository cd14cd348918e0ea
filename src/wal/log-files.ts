// The two log files. Frames are appended to the current one, into space that was filled with zeros before. A checkpoint
// switches to the other file if no protected meta needs that one; otherwise the current file grows.
import { assert } from '../errors.ts'
import { isDiskFull } from '../store/failures.ts'
import { writeTo } from '../store/data-file.ts'
import type { VfsFile } from '../vfs/vfs.ts'

/** Zeros are written ahead in steps of this many bytes, so that no commit waits long for one. */
const stepBytes = 1 << 20
/** With less than this left, the next step is due before a commit needs it. */
const aheadBytes = stepBytes / 2

const zeros = new Uint8Array(stepBytes * 2)

/** A place in the log. */
export interface LogPosition {
  readonly file: number
  readonly offset: number
}

export class LogFiles {
  readonly #files: readonly [VfsFile, VfsFile]
  readonly #verifyWrites: boolean
  readonly #allocated: [number, number]
  /** Writes to each file, and how many of these are known to be on stable storage. */
  readonly #written: [number, number] = [0, 0]
  readonly #synced: [number, number] = [0, 0]
  /** Syncs of a file that were not needless, and the milliseconds they took. */
  readonly syncs = { count: 0, lastMs: 0, longestMs: 0, totalMs: 0 }
  #current: 0 | 1 = 0
  #offset = 0
  /** A step ahead is being synced. */
  #isStepping = false
  /** Where each file's part of the log ended when the log switched to the other one. */
  readonly #ends: [number, number] = [0, 0]
  /** Where the log begins that the durable meta needs; while a meta is being written, also the one before. */
  #needed: LogPosition = { file: 0, offset: 0 }
  #previousNeeded: LogPosition | undefined

  constructor(files: readonly [VfsFile, VfsFile], verifyWrites: boolean) {
    this.#files = files
    this.#verifyWrites = verifyWrites
    this.#allocated = [files[0].size(), files[1].size()]
  }

  get #other(): 0 | 1 {
    return this.#current === 0 ? 1 : 0
  }

  /** Bytes of log that recovery would have to read. */
  get liveBytes(): number {
    const start = this.#needed
    if (start.file === this.#current) return this.#offset - start.offset
    return this.#ends[this.#other] - start.offset + this.#offset
  }

  /** Bytes of both files on disk. */
  get sizeBytes(): number {
    return this.#allocated[0] + this.#allocated[1]
  }

  file(index: number): VfsFile {
    return index === 0 ? this.#files[0] : this.#files[1]
  }

  /** Continues the log at `position`; `needed` is the start that the durable meta names. */
  resume(position: LogPosition, needed: LogPosition, endOfOther: number): void {
    this.#current = position.file === 0 ? 0 : 1
    this.#offset = position.offset
    this.#needed = needed
    this.#previousNeeded = undefined
    this.#ends[this.#other] = endOfOther
  }

  /** Bytes that can be appended into space that has been written. */
  get reservedBytes(): number {
    return this.#allocated[this.#current] - this.#offset
  }

  /** Writes zeros ahead, so that `bytes` more can be appended; where there is room for it, a step more. */
  reserve(bytes: number, step = stepBytes): void {
    this.#allocate(this.#current, this.#offset + bytes, step)
  }

  /**
   * When little is left of what was written ahead, writes the zeros of the next step and syncs them off this thread.
   * Where commits come one after the other, their syncs find less to do than if the next one that needs space had to
   * write it.
   */
  stepAhead(): void {
    const index = this.#current
    if (this.#isStepping || this.reservedBytes > aheadBytes) return
    this.#isStepping = true
    void this.#step(index)
  }

  async #step(index: 0 | 1): Promise<void> {
    try {
      this.#written[index]++
      if (PLANTED_BUG === 35) this.#allocated[index] = this.#offset - 64
      this.#writeZeros(index, stepBytes)
      await this.#files[index].syncAsync()
    } catch {
      // Nobody relies on these zeros yet. Whoever does will meet the error: the next write or sync of the file.
    } finally {
      this.#isStepping = false
    }
  }

  /** As `reserve`, in the other file, so that `bytes` can be appended after a switch. */
  reserveOther(bytes: number, step = stepBytes): void {
    this.#allocate(this.#other, bytes, step)
  }

  /**
   * Cuts off what was written ahead beyond `aheadBytes`, and the other file beyond `otherBytes`, if no protected meta
   * needs it.
   */
  giveBack(aheadBytes: number, otherBytes: number): void {
    this.#cut(this.#current, this.#offset + aheadBytes)
    if (!this.#isNeeded(this.#other)) this.#cut(this.#other, otherBytes)
  }

  #cut(index: 0 | 1, bytes: number): void {
    if (this.#allocated[index] <= bytes) return
    this.#written[index]++
    this.#files[index].truncate(bytes)
    this.#allocated[index] = bytes
  }

  #isNeeded(file: number): boolean {
    return this.#needed.file === file || this.#previousNeeded?.file === file
  }

  #allocate(index: 0 | 1, end: number, step: number): void {
    const least = () => Math.ceil((end - this.#allocated[index]) / 4_096) * 4_096
    while (this.#allocated[index] < end) {
      this.#written[index]++
      try {
        this.#writeZeros(index, Math.min(stepBytes, least() + step))
      } catch (error) {
        // A disk too full for a step may still have what is needed now, or have taken it already.
        if (least() >= stepBytes || !isDiskFull(error)) throw error
        if (least() > 0) this.#writeZeros(index, least())
      }
    }
  }

  #writeZeros(index: 0 | 1, bytes: number): void {
    const from = this.#allocated[index]
    try {
      this.#files[index].writeAt(zeros.subarray(0, bytes), from)
      this.#allocated[index] = from + bytes
    } catch (error) {
      // A full disk takes some of it, which would never be given back if nobody knew.
      this.#allocated[index] = Math.max(from, this.#files[index].size())
      throw error
    }
  }

  /** Appends bytes for which space was reserved. */
  append(bytes: Uint8Array): void {
    const index = this.#current
    assert(this.#offset + bytes.length <= this.#allocated[index], 'the log is written within reserved space')
    this.#written[index]++
    writeTo(this.#files[index], bytes, this.#offset, this.#verifyWrites)
    this.#offset += bytes.length
  }

  /** When it returns, everything appended is on stable storage. */
  sync(): void {
    for (const index of [0, 1] as const) {
      if (PLANTED_BUG === 11 || this.#synced[index] === this.#written[index]) continue
      const startMs = performance.now()
      this.#files[index].sync()
      this.#noteSync(startMs)
      this.#synced[index] = this.#written[index]
    }
  }

  /** The same off this thread; covers what was appended before the call. */
  async syncAsync(): Promise<void> {
    const written = [...this.#written]
    for (const index of [0, 1] as const) {
      const covered = written[index] ?? 0
      if (this.#synced[index] >= covered) continue
      const startMs = performance.now()
      await this.#files[index].syncAsync()
      this.#noteSync(startMs)
      this.#synced[index] = Math.max(this.#synced[index], covered)
    }
  }

  #noteSync(startMs: number): void {
    const { syncs } = this
    syncs.count++
    syncs.lastMs = performance.now() - startMs
    syncs.longestMs = Math.max(syncs.longestMs, syncs.lastMs)
    syncs.totalMs += syncs.lastMs
  }

  /** For a checkpoint that begins: continues at the start of the other file, if no protected meta needs that file. */
  switchFile(): LogPosition {
    if (!this.#isNeeded(this.#other) && this.#offset > 0) {
      this.#ends[this.#current] = this.#offset
      this.#current = this.#other
      this.#offset = 0
    }
    return { file: this.#current, offset: this.#offset }
  }

  /** A meta that names `start` is being written. Until it is durable, the start before it is needed, too. */
  beginNaming(start: LogPosition): void {
    this.#previousNeeded ??= this.#needed
    this.#needed = start
  }

  /** The meta is durable in both slots. */
  endNaming(): void {
    this.#previousNeeded = undefined
  }

  /** Overwrites a file with zeros from `position` to its end, and syncs it. */
  erase(position: LogPosition): void {
    const file = this.file(position.file)
    const end = file.size()
    for (let at = position.offset; at < end; at += stepBytes) {
      const bytes = zeros.subarray(0, Math.min(stepBytes, end - at))
      writeTo(file, bytes, at, this.#verifyWrites)
    }
    if (PLANTED_BUG !== 18) file.sync()
  }

  /** Writes the bytes of a file from `position` to `end` once more, as they are. The caller syncs. */
  rewrite(position: LogPosition, end: number): void {
    const index = position.file === 0 ? 0 : 1
    const file = this.#files[index]
    for (let at = position.offset; at < end; at += stepBytes) {
      const bytes = new Uint8Array(Math.min(stepBytes, end - at))
      const length = file.readAt(bytes, at)
      writeTo(file, bytes.subarray(0, length), at, this.#verifyWrites)
    }
    this.#written[index]++
  }

  /** Cuts both files down to `keptBytes`, when the log is empty. */
  shrink(keptBytes: number): void {
    for (const index of [0, 1] as const) {
      const bytes = Math.min(keptBytes, this.#allocated[index])
      this.#files[index].truncate(bytes)
      this.#allocated[index] = bytes
    }
    this.#offset = 0
  }

  close(): void {
    try {
      this.#files[0].close()
    } finally {
      this.#files[1].close()
    }
  }
}
