// The least a kernel needs around it: a disk that is a map, and an answer to every status. It keeps account of every
// image, so a test can tell that none is released twice, and none forgotten.
import { CLEAR, CREATE, DELETE, DROP, PUT, PUT_LARGE } from '../../assembly/operations.ts'
import {
  AHEAD_COUNT,
  CHECKPOINT_SNAPSHOT,
  EPOCH_HIGH,
  EPOCH_LOW,
  IMAGE,
  IMAGE_CHECKSUM,
  IMAGE_FORMAT,
  KEY,
  KEY2,
  LOG_BYTES,
  MISS,
  NEED_FRAMES,
  NEED_IMAGES,
  NEED_TREE,
  NOT_FOUND,
  OUT,
  OUT_BYTES,
  OUT_MORE,
  PAGE_BYTES,
  PROBLEM,
  TREES,
  VALUE_BYTES,
  VALUE_FLAGS,
  WANTED_FRAMES,
  WANTED_PAGE,
  WANTED_RECORD,
  WANTED_TREE
} from '../../assembly/state.ts'
import {
  SCAN_COUNT,
  SCAN_KEYS,
  SCAN_LOWER,
  SCAN_LOWER_OPEN,
  SCAN_REVERSE,
  SCAN_UPPER,
  SCAN_UPPER_CLOSED
} from '../../assembly/scan.ts'
import { type Kernel, loadKernel } from '../../src/kernel/load.ts'

export const catalog = { tree: 0, root: 1 }
export const main = { tree: 1, root: 2 }

/** Keys and values are strings of bytes (code units 0 to 255), whose order is the order of the bytes. */
export type Operation =
  | { readonly type: 'put'; readonly tree: number; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly tree: number; readonly key: string }
  | { readonly type: 'clear'; readonly tree: number; readonly from: string; readonly to: string | undefined }
  | { readonly type: 'large'; readonly tree: number; readonly key: string; readonly segments: number }
  | { readonly type: 'create'; readonly tree: number; readonly name: string }
  | { readonly type: 'drop'; readonly tree: number; readonly name: string }

export interface Range {
  readonly lower?: string | undefined
  readonly lowerOpen?: boolean
  readonly upper?: string | undefined
  readonly upperClosed?: boolean
  readonly reverse?: boolean
  readonly keysOnly?: boolean
}

export interface Row {
  readonly key: string
  readonly value: string
}

/** Answers `MISS` wherever it can happen: everything that can be is put out of memory before every call. */
export type Harshness = 'kind' | 'harsh'

export interface Saved {
  readonly memory: Uint8Array
  readonly disk: ReadonlyMap<number, Uint8Array>
  readonly alive: ReadonlySet<number>
  readonly nextSector: number
}

export class Pager {
  readonly kernel: Kernel
  readonly disk = new Map<number, Uint8Array>()
  /** Sectors that hold an image somebody names. */
  readonly alive = new Set<number>()
  readonly harshness: Harshness
  /** Answers given until now. */
  statuses = 0
  /** Images written because the kernel wanted them before it changed their pages. */
  early = 0
  /** Before the call goes on after this many answers, everything is put out of memory once more. */
  evictAfter = -1
  /** The sector that the next image gets. */
  nextSector = 8
  #memory: ArrayBuffer
  #view: DataView
  #bytes: Uint8Array

  constructor(kernel: Kernel, harshness: Harshness = 'kind') {
    this.kernel = kernel
    this.harshness = harshness
    this.#memory = kernel.memory()
    this.#view = new DataView(this.#memory)
    this.#bytes = new Uint8Array(this.#memory)
  }

  static async make(build: Kernel['build'], pageBytes: number, frames: number, harshness?: Harshness): Promise<Pager> {
    const pager = await Pager.bare(build, pageBytes, frames, harshness)
    pager.must(pager.settle(() => pager.kernel.exports.makeTrees()))
    return pager
  }

  /** Without the two trees, to load a database into. */
  static async bare(build: Kernel['build'], pageBytes: number, frames: number, harshness?: Harshness): Promise<Pager> {
    const pager = new Pager(await loadKernel(build === 'wasm' ? undefined : 'off'), harshness)
    pager.must(pager.kernel.exports.setUp(pageBytes, frames))
    return pager
  }

  get bytes(): Uint8Array {
    this.#attach()
    return this.#bytes
  }

  get view(): DataView {
    this.#attach()
    return this.#view
  }

  #attach(): void {
    const memory = this.kernel.memory()
    if (memory === this.#memory) return
    this.#memory = memory
    this.#view = new DataView(memory)
    this.#bytes = new Uint8Array(memory)
  }

  cell(address: number): number {
    return this.view.getUint32(address >>> 0, true)
  }

  setCell(address: number, value: number): void {
    this.view.setUint32(address, value, true)
  }

  setEpoch(low: number, high: number): void {
    this.setCell(EPOCH_LOW, low)
    this.setCell(EPOCH_HIGH, high)
  }

  must(status: number): void {
    if (status < 0) throw new Error(`status ${status}, page ${this.cell(WANTED_PAGE)}, problem ${this.cell(PROBLEM)}`)
  }

  /** Calls until the answer is not one that asks for something, and gives what is asked for in between. */
  settle(call: () => number, resume: () => number = call): number {
    if (this.harshness === 'harsh') this.evictAll()
    let status = call() | 0
    for (let turn = 0; turn < 20_000; turn++) {
      if (status === MISS) {
        this.statuses++
        const id = this.cell(WANTED_PAGE)
        const record = this.cell(WANTED_RECORD)
        this.bringIn(id, record)
      } else if (status === NEED_FRAMES) {
        this.statuses++
        this.makeRoom(this.cell(WANTED_FRAMES))
      } else if (status === NEED_TREE) {
        this.statuses++
        this.#registerTree(this.cell(WANTED_TREE))
      } else if (status === NEED_IMAGES) {
        this.statuses++
        // Now and then it is left undone.
        if (this.statuses % 5 !== 0) this.#writeEarly()
      } else return status
      if (this.statuses === this.evictAfter) this.evictAll()
      status = resume() | 0
    }
    throw new Error(`no end of statuses, ${status} was the last`)
  }

  #registerTree(tree: number): void {
    for (const { value } of this.scan(catalog, {})) {
      const bytes = Buffer.from(value, 'latin1')
      if (bytes.readUInt32LE(0) === tree) {
        this.kernel.exports.registerTree(tree, bytes.readUInt32LE(4))
        return
      }
    }
    throw new Error(`no tree ${tree}`)
  }

  /** Number of the tree's root page, as the catalog has it. */
  rootOf(name: string, snapshot = 0): number | undefined {
    const value = this.get(catalog, name, snapshot)
    return value === undefined ? undefined : Buffer.from(value, 'latin1').readUInt32LE(4)
  }

  bringIn(id: number, record: number): void {
    const { exports } = this.kernel
    const entry = record === 0 ? exports.entryAt(id, 0) : record + 24
    const sector = this.cell(entry)
    const image = this.disk.get(sector)
    if (!image || !this.alive.has(sector)) throw new Error(`page ${id} has no image (sector ${sector})`)
    this.bytes.set(image, this.cell(IMAGE))
    let status = exports.unpackImage(id, record, this.cell(IMAGE))
    if (status === NEED_FRAMES) {
      this.makeRoom(this.cell(WANTED_FRAMES))
      this.bytes.set(image, this.cell(IMAGE))
      status = exports.unpackImage(id, record, this.cell(IMAGE))
    }
    this.must(status)
  }

  makeRoom(wanted: number): void {
    const { exports } = this.kernel
    while (exports.evict(wanted) < wanted) {
      const frame = exports.nextDirty() >>> 0
      if (frame !== 0) this.writeOut(frame)
      else if (exports.evict(wanted) < wanted) throw new Error(`no room for ${wanted} frames`)
    }
  }

  /** Writes all dirty frames and evicts everything. */
  evictAll(): void {
    const { exports } = this.kernel
    for (let frame = exports.nextDirty() >>> 0; frame !== 0; frame = exports.nextDirty() >>> 0) this.writeOut(frame)
    exports.evict(0x7fffffff)
  }

  writeOut(frame: number): void {
    const { exports } = this.kernel
    const to = this.cell(IMAGE)
    const length = exports.packImage(frame, to, 1)
    const sector = this.newSector()
    this.disk.set(sector, this.bytes.slice(to, to + length))
    this.must(exports.setImage(frame, sector, length, this.cell(IMAGE_FORMAT), this.cell(IMAGE_CHECKSUM)))
    this.drain()
  }

  #writeEarly(): void {
    for (let i = 0; i < this.cell(AHEAD_COUNT); i++) {
      const frame = this.kernel.exports.wantedImage(i) >>> 0
      if (frame === 0) continue
      this.writeOut(frame)
      this.early++
    }
  }

  /** Lets the kernel take a snapshot that is the only one for a checkpoint's, which needs nothing but images. */
  takeSnapshotsForCheckpoints(): void {
    this.setCell(CHECKPOINT_SNAPSHOT, 1)
  }

  newSector(): number {
    const sector = this.nextSector++
    this.alive.add(sector)
    return sector
  }

  /** Takes the images that nothing names any more. */
  drain(): void {
    const { exports } = this.kernel
    for (let entry = exports.nextReleased() >>> 0; entry !== 0; entry = exports.nextReleased() >>> 0) {
      const sector = this.cell(entry)
      if (!this.alive.delete(sector)) throw new Error(`sector ${sector} is released twice`)
      this.disk.delete(sector)
    }
  }

  #putKey(at: number, key: string): void {
    this.bytes.set(Buffer.from(key, 'latin1'), at)
  }

  /** Writes the operations where the next commit expects them; returns their length. */
  encode(operations: readonly Operation[]): number {
    const start = this.kernel.exports.frameOperations()
    let at = start
    for (const operation of operations) {
      const [type, key, value, flags] = this.#parts(operation)
      const { view, bytes } = this
      view.setUint8(at, type)
      view.setUint8(at + 1, flags)
      view.setUint16(at + 2, key.length, true)
      view.setUint32(at + 4, operation.tree, true)
      view.setUint32(at + 8, value.length, true)
      bytes.set(key, at + 12)
      bytes.set(value, at + 12 + key.length)
      at += 12 + key.length + value.length
    }
    return at - start
  }

  #parts(operation: Operation): [type: number, key: Uint8Array, value: Uint8Array, flags: number] {
    const raw = (text: string) => Buffer.from(text, 'latin1')
    switch (operation.type) {
      case 'put':
        return [PUT, raw(operation.key), raw(operation.value), 0]
      case 'delete':
        return [DELETE, raw(operation.key), raw(''), 0]
      case 'clear':
        return [CLEAR, raw(operation.from), raw(operation.to ?? ''), operation.to === undefined ? 0 : 1]
      case 'large':
        return [PUT_LARGE, raw(operation.key), this.#segments(operation.segments), 0]
      case 'create':
        return [CREATE, raw(operation.name), raw(''), 0]
      case 'drop':
        return [DROP, raw(operation.name), raw(''), 0]
    }
  }

  /** Segments on made-up sectors, whose total length is the first one's sector: that tells values apart. */
  #segments(count: number): Uint8Array {
    const value = Buffer.alloc(4 + count * 12)
    for (let i = 0; i < count; i++) {
      const sector = this.newSector()
      if (i === 0) value.writeUInt32LE(sector, 0)
      value.writeUInt32LE(sector, 4 + i * 12)
      value.writeUInt32LE(0x1000_000 | 512, 8 + i * 12)
      value.writeUInt32LE(sector ^ 0x5a5a5a5a, 12 + i * 12)
    }
    return value
  }

  /** One commit; returns what the frame takes in the log. */
  commit(operations: readonly Operation[]): number {
    const { exports } = this.kernel
    this.setCell(LOG_BYTES, 0)
    const length = this.encode(operations)
    this.must(
      this.settle(
        () => exports.commit(length, 0),
        () => exports.resumeCommit()
      )
    )
    this.drain()
    const bytes = this.cell(LOG_BYTES)
    this.setCell(LOG_BYTES, 0)
    return bytes
  }

  put(key: string, value: string, tree = main.tree): void {
    this.commit([{ type: 'put', tree, key, value }])
  }

  delete(key: string, tree = main.tree): void {
    this.commit([{ type: 'delete', tree, key }])
  }

  get(where: { tree: number; root: number }, key: string, snapshot = 0): string | undefined {
    const { exports } = this.kernel
    const address = this.settle(() => {
      this.#putKey(KEY, key)
      return exports.get(where.tree, where.root, snapshot, key.length)
    })
    if (address === NOT_FOUND) return undefined
    // Statuses are the few numbers below zero; what is lower is an address beyond 2 GiB.
    if (address > -64) this.must(address)
    const begin = address >>> 0
    const value = Buffer.from(this.bytes.slice(begin, begin + this.cell(VALUE_BYTES)))
    return this.cell(VALUE_FLAGS) === 0 ? value.toString('latin1') : largeText(value)
  }

  #options(range: Range): number {
    let options = 0
    if (range.reverse) options |= SCAN_REVERSE
    if (range.keysOnly) options |= SCAN_KEYS
    if (range.lower !== undefined) options |= SCAN_LOWER
    if (range.lowerOpen) options |= SCAN_LOWER_OPEN
    if (range.upper !== undefined) options |= SCAN_UPPER
    if (range.upperClosed) options |= SCAN_UPPER_CLOSED
    return options
  }

  /** The whole range, in batches of `batch` rows. */
  scan(where: { tree: number; root: number }, range: Range, snapshot = 0, batch = 0x7fffffff): Row[] {
    const { exports } = this.kernel
    const rows: Row[] = []
    let rest = range
    while (true) {
      const lower = rest.lower ?? ''
      const upper = rest.upper ?? ''
      const count = this.settle(() => {
        this.#putKey(KEY, lower)
        this.#putKey(KEY2, upper)
        return exports.scan(where.tree, where.root, snapshot, this.#options(rest), lower.length, upper.length, batch)
      })
      this.must(count)
      this.#readRows(rows, count)
      if (this.cell(OUT_MORE) === 0) return rows
      const last = rows.at(-1)
      if (count === 0 || !last) throw new Error('a scan does not move on')
      rest = range.reverse
        ? { ...range, upper: last.key, upperClosed: false }
        : { ...range, lower: last.key, lowerOpen: true }
    }
  }

  #readRows(rows: Row[], count: number): void {
    const { view } = this
    const memory = Buffer.from(this.kernel.memory())
    let at = this.cell(OUT)
    const end = at + this.cell(OUT_BYTES)
    for (let i = 0; i < count; i++) {
      const keyBytes = view.getUint32(at, true)
      const word = view.getUint32(at + 4, true)
      const valueAt = at + 8 + keyBytes
      const valueEnd = valueAt + (word & 0xffffff)
      const value = memory.subarray(valueAt, valueEnd)
      rows.push({
        key: memory.toString('latin1', at + 8, valueAt),
        value: word >>> 24 === 0 ? value.toString('latin1') : largeText(value)
      })
      at = (valueEnd + 3) & ~3
    }
    if (at !== end) throw new Error(`rows end at ${at}, not ${end}`)
  }

  count(where: { tree: number; root: number }, range: Range, snapshot = 0): number {
    const { exports } = this.kernel
    let total = 0
    let rest = range
    while (true) {
      const lower = rest.lower ?? ''
      const upper = rest.upper ?? ''
      const options = this.#options(rest) | SCAN_COUNT
      const count = this.settle(() => {
        this.#putKey(KEY, lower)
        this.#putKey(KEY2, upper)
        return exports.scan(where.tree, where.root, snapshot, options, lower.length, upper.length, 0)
      })
      this.must(count)
      total += count
      if (this.cell(OUT_MORE) === 0) return total
      const rows: Row[] = []
      this.#readRows(rows, 1)
      rest = { ...range, lower: rows[0]?.key, lowerOpen: true }
    }
  }

  openSnapshot(): number {
    const snapshot = this.kernel.exports.openSnapshot() >>> 0
    if (snapshot === 0) throw new Error('no memory for a snapshot')
    return snapshot
  }

  closeSnapshot(snapshot: number): void {
    this.kernel.exports.closeSnapshot(snapshot)
    this.drain()
  }

  /** Everything there is, to go back to with `restore`. */
  save(): Saved {
    return {
      memory: this.bytes.slice(),
      disk: new Map(this.disk),
      alive: new Set(this.alive),
      nextSector: this.nextSector
    }
  }

  restore(saved: Saved): void {
    this.bytes.set(saved.memory)
    this.bytes.fill(0, saved.memory.length)
    this.disk.clear()
    for (const [sector, image] of saved.disk) this.disk.set(sector, image)
    this.alive.clear()
    for (const sector of saved.alive) this.alive.add(sector)
    this.nextSector = saved.nextSector
  }

  get pageBytes(): number {
    return this.cell(PAGE_BYTES)
  }

  /** Takes every shortcut to a tree's root away. */
  forgetTrees(): void {
    this.kernel.exports.forgetTrees()
    if (this.cell(this.cell(TREES)) !== 0) throw new Error('a tree is still known')
  }

  /** The page's frame, which is brought in when need be. */
  frame(id: number, record = 0): number {
    const { exports } = this.kernel
    const resident = () => (record === 0 ? exports.frameOf(id) >>> 0 : this.cell(record + 16))
    if (resident() === 0) this.bringIn(id, record)
    return resident()
  }
}

function largeText(reference: Buffer): string {
  return `large ${reference.readUInt32LE(4)}`
}
