// Provides what a kernel call needs to go on: a page that is not in memory, or free frames. When evicting clean pages
// does not free enough frames, dirty ones are written out. At most half of the frames are dirty, so reads never need
// space.
import {
  AHEAD_COUNT,
  BAD_OPERATION,
  CHECKPOINT_SNAPSHOT,
  CORRUPT,
  FRAME_LIMIT,
  FRAMES_DIRTY,
  FRAMES_FREE,
  IMAGE,
  MISS,
  NEED_FRAMES,
  NEED_IMAGES,
  PROBLEM,
  RELEASED_COUNT,
  WANTED_FRAMES,
  WANTED_PAGE,
  WANTED_RECORD
} from '../../assembly/state.ts'
import { isLightningError, LightningError } from '../errors.ts'
import { corrupt } from '../store/failures.ts'
import type { Kernel } from '../kernel/load.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'
import { assertStatus } from '../kernel/status.ts'
import type { DataFile } from '../store/data-file.ts'
import { sectorBytes } from '../store/format.ts'
import type { ImageRun } from '../store/image-run.ts'
import type { PendingExtents } from '../store/pending-extents.ts'

/** Dirty frames that are written out together. */
const spillFrames = 32
/** Frames freed beyond those asked for, so that not every miss has to evict. */
const spareFrames = 8

export class Pager {
  readonly #kernel: Kernel
  readonly #memory: KernelMemory
  readonly #data: DataFile
  readonly #run: ImageRun
  readonly #pending: PendingExtents
  readonly #readOnly: boolean
  /**
   * Pages read from disk, dirty pages written to make room, and those written for a checkpoint before its turn came to
   * them, since the database was opened.
   */
  readonly counts = { misses: 0, spilled: 0, early: 0 }

  constructor(
    kernel: Kernel,
    memory: KernelMemory,
    data: DataFile,
    run: ImageRun,
    pending: PendingExtents,
    readOnly: boolean
  ) {
    this.#kernel = kernel
    this.#memory = memory
    this.#data = data
    this.#run = run
    this.#pending = pending
    this.#readOnly = readOnly
  }

  /** Provides what a call that returned `status` asks for, or throws. Afterwards the call is to be repeated. */
  provide(status: number): void {
    if (status === MISS) this.#bringIn()
    else if (status === NEED_FRAMES) this.makeRoom(this.#memory.word(WANTED_FRAMES))
    else if (status === NEED_IMAGES) this.#writeEarly()
    else if (status === CORRUPT) throw this.#corrupt('contradicts the page that refers to it')
    else if (status === BAD_OPERATION) {
      throw corrupt('The log holds an operation that cannot be understood.')
    } else assertStatus(status, 'this operation')
  }

  /** Frees frames until `wanted` are free. Throws `LIGHTNING_OUT_OF_MEMORY` when that is impossible. */
  makeRoom(wanted: number): void {
    const { evict } = this.#kernel.exports
    const generous = Math.min(wanted + spareFrames, this.#memory.word(FRAME_LIMIT) >>> 2)
    const target = Math.max(wanted, generous)
    for (let round = 0; round < 4; round++) {
      if (evict(target) >= wanted) return
      this.#spill(spillFrames)
    }
    if (evict(wanted) >= wanted) return
    assertStatus(NEED_FRAMES, 'this operation')
  }

  /** Writes dirty pages out until at most half of the frames are dirty. */
  limitDirty(): void {
    const most = this.#memory.word(FRAME_LIMIT) >>> 1
    while (this.#memory.word(FRAMES_DIRTY) > most) {
      if (this.#spill(spillFrames) === 0) return
    }
  }

  /** Frees the blocks of images that nothing in memory names any more, or has them wait for the next checkpoint. */
  drainReleased(): void {
    if (this.#memory.word(RELEASED_COUNT) === 0) return
    const { nextReleased } = this.#kernel.exports
    while (true) {
      const entry = nextReleased() >>> 0
      if (entry === 0) return
      const word = this.#memory.word(entry + 4)
      this.#pending.give(this.#memory.word(entry), word & 0xffffff, word >>> 24)
    }
  }

  /** Reads the page that the kernel wants. */
  #bringIn(): void {
    const id = this.#memory.word(WANTED_PAGE)
    const record = this.#memory.word(WANTED_RECORD)
    if (this.#memory.word(FRAMES_FREE) === 0) {
      const status = this.#kernel.exports.reserveFrames(1)
      if (status === NEED_FRAMES) this.makeRoom(1)
      else assertStatus(status, 'a page')
    }
    const entry = record === 0 ? this.#kernel.exports.entryAt(id, 0) >>> 0 : record + 24
    const sector = this.#memory.word(entry)
    const bytes = this.#memory.word(entry + 4) & 0xffffff
    this.#memory.setWord(WANTED_PAGE, id)
    if (sector === 0) throw this.#corrupt('is named but has no image')
    const image = this.#memory.word(IMAGE)
    this.#data.read(this.#memory.bytes.subarray(image, image + bytes), sector)
    const status = this.#kernel.exports.unpackImage(id, record, image)
    if (status === CORRUPT) throw this.#corrupt(problemText(this.#memory.word(PROBLEM)), sector * sectorBytes)
    assertStatus(status, 'a page')
    this.counts.misses++
  }

  /**
   * Writes pages that the running checkpoint has to write and that the next operations are going to change. If that
   * fails, copies are made of them as where nobody asks, and the checkpoint will meet the same failure.
   */
  #writeEarly(): void {
    const run = this.#run
    for (let i = 0; i < this.#memory.word(AHEAD_COUNT); i++) {
      const frame = this.#kernel.exports.wantedImage(i) >>> 0
      if (frame !== 0 && run.hasRoom && !run.has(frame)) run.add(frame)
    }
    const { length } = run
    try {
      run.flush()
      this.counts.early += length
    } catch (error) {
      if (!isLightningError(error)) throw error
      // The next ones would fail, too.
      this.#memory.setWord(CHECKPOINT_SNAPSHOT, 0)
    }
  }

  /** Writes out up to `most` dirty pages that were not used lately; returns how many. */
  #spill(most: number): number {
    if (this.#readOnly) {
      throw new LightningError(
        'LIGHTNING_OUT_OF_MEMORY',
        'The log is too large to be replayed in the cache of a read-only opener. ' +
          'Reopen with larger cacheBytes, or once for writing.'
      )
    }
    let count = 0
    while (count < most && this.#run.hasRoom) {
      const frame = this.#kernel.exports.nextDirty() >>> 0
      if (frame === 0 || this.#run.has(frame)) break
      this.#run.add(frame)
      count++
    }
    this.#run.flush()
    this.drainReleased()
    this.counts.spilled += count
    return count
  }

  #corrupt(what: string, offset?: number): LightningError {
    const page = this.#memory.word(WANTED_PAGE)
    return corrupt(`Page ${page} of ${this.#data.file.name} ${what}.`, { file: this.#data.file.name, page, offset })
  }
}

/** What the kernel's check of a page found, in words; the numbers are those of `assembly/check.ts`. */
function problemText(problem: number): string {
  const texts = [
    'is damaged',
    "carries another page's number",
    'is of no known kind',
    'has parts outside its bounds',
    'has a damaged cell',
    'has a damaged key head',
    'has keys out of order',
    'refers to a page that does not exist',
    'has unaccounted space',
    'has a damaged reference to a large value',
    'does not match its checksum'
  ]
  return texts[problem] ?? 'is damaged'
}
