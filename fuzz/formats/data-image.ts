// A data file to be damaged on purpose. Changes above the checksums: what was changed gets a right checksum again, up to
// the meta, so that the checks behind the checksums are reached. Changes below them come afterwards.
import { chunkBytes, directoryEntryBytes, entryBytes, metaBytes, sectorBytes } from '../../src/store/format.ts'
import type { ScriptRecord } from './script.ts'
import type { Tools } from './tools.ts'

const blockBytes = 4_096
/** Words of a meta that mean something besides magic, number of the format and checksum. */
const metaWords = { from: 8, count: 31 }
const rawFormat = 1
const lz4Format = 2
const largeFlag = 16

/** Kinds of changes that `change` knows. */
const dataChanges = 10

export class DataImage {
  bytes: Uint8Array
  #view: DataView
  readonly #tools: Tools
  /** The meta as the base has it: what a change made of it must not lead astray. */
  readonly #layout: DataView

  constructor(file: Uint8Array, tools: Tools) {
    this.#layout = new DataView(file.slice(0, metaBytes).buffer)
    this.bytes = file.slice()
    this.#view = new DataView(this.bytes.buffer)
    this.#tools = tools
  }

  /** One change, with the checksums above it made right. */
  change({ op, item, field, value }: ScriptRecord): void {
    const kind = op % dataChanges
    if (kind === 0) this.#changeMeta(item, field, value)
    else if (kind === 1) this.#changeDirectory(item, field, value)
    else if (kind === 2) this.#changeEntry(this.#someEntry(item), (field % 6) * 4, value)
    else if (kind === 3) this.#changeEntry(this.#anyEntry(field), (item % 6) * 4, value)
    else if (kind === 4) this.#copyEntry(this.#someEntry(item), this.#anyEntry(field))
    else if (kind === 5) this.#swapEntries(this.#someEntry(item), this.#someEntry(field))
    else if (kind === 6) this.#changePage(item, page => put(page, field & 0xfff, value, widthOf(field)))
    else if (kind === 7) this.#changePage(item, page => changeCell(page, field, value))
    else if (kind === 8) this.#changePage(item, page => changeSlot(page, field, value))
    else this.#changeSegment(item, field, value)
  }

  #changeMeta(item: number, field: number, value: number): void {
    for (const slot of item % 3 === 2 ? [0, 1] : [item % 3]) {
      const at = slot * blockBytes
      this.#view.setUint32(at + metaWords.from + (field % metaWords.count) * 4, value, true)
      this.#sealMeta(slot)
    }
  }

  #changeDirectory(item: number, field: number, value: number): void {
    const at = this.#directory + (item % this.#chunks) * directoryEntryBytes
    this.#view.setUint32(at + (field % 4) * 4, value, true)
    this.#sealDirectory()
  }

  #changeEntry(entry: number, offset: number, value: number): void {
    this.#view.setUint32(entry + offset, value, true)
    this.#sealChunks()
  }

  #copyEntry(from: number, to: number): void {
    this.bytes.copyWithin(to, from, from + entryBytes)
    this.#sealChunks()
  }

  #swapEntries(a: number, b: number): void {
    const kept = this.bytes.slice(a, a + entryBytes)
    this.bytes.copyWithin(a, b, b + entryBytes)
    this.bytes.set(kept, b)
    this.#sealChunks()
  }

  /** The page is stored anew, not compressed, at the end of the file. */
  #changePage(item: number, change: (page: DataView) => void): void {
    const entries = this.#entries.filter(entry => (this.#format(entry) & largeFlag) === 0)
    const entry = entries[item % Math.max(1, entries.length)]
    if (entry === undefined) return
    const page = this.#unpack(entry)
    if (page === undefined) return
    change(new DataView(page.buffer, page.byteOffset, page.byteLength))
    const sector = Math.ceil(this.bytes.length / sectorBytes)
    this.#grow(sector * sectorBytes + page.length)
    this.bytes.set(page, sector * sectorBytes)
    this.#view.setUint32(entry, sector, true)
    this.#view.setUint32(
      entry + 4,
      ((((this.#format(entry) & ~lz4Format) | rawFormat) << 24) | page.length) >>> 0,
      true
    )
    this.#view.setUint32(entry + 8, this.#tools.xxh32(page, this.#idOf(entry)), true)
    this.#sealChunks()
  }

  /** A byte of a large value's stored segment. */
  #changeSegment(item: number, field: number, value: number): void {
    const entries = this.#entries.filter(entry => (this.#format(entry) & largeFlag) !== 0)
    const entry = entries[item % Math.max(1, entries.length)]
    if (entry === undefined) return
    const image = this.#image(entry)
    if (image === undefined || image.length === 0) return
    image[field % image.length] = value
    this.#view.setUint32(entry + 8, this.#tools.xxh32(image, 0), true)
    this.#sealChunks()
  }

  get #directory(): number {
    return this.#original(112) * sectorBytes
  }

  get #chunks(): number {
    return Math.max(1, this.#original(108))
  }

  #original(offset: number): number {
    return this.#layout.getUint32(offset, true)
  }

  /** Places of the chunks that are inside the file. */
  get #chunkPlaces(): number[] {
    const places: number[] = []
    for (let chunk = 0; chunk < this.#chunks; chunk++) {
      const at = this.#view.getUint32(this.#directory + chunk * directoryEntryBytes, true) * sectorBytes
      places.push(at > 0 && at + chunkBytes <= this.bytes.length ? at : 0)
    }
    return places
  }

  /** Places of the entries in use. */
  get #entries(): number[] {
    const entries: number[] = []
    for (const place of this.#chunkPlaces) {
      if (place === 0) continue
      for (let at = place; at < place + chunkBytes; at += entryBytes)
        if (this.#view.getUint32(at, true) !== 0) entries.push(at)
    }
    return entries
  }

  #someEntry(number: number): number {
    const entries = this.#entries
    return entries[number % Math.max(1, entries.length)] ?? this.#anyEntry(number)
  }

  #anyEntry(number: number): number {
    const place = this.#chunkPlaces.find(at => at !== 0) ?? 2 * blockBytes
    return place + (number % (chunkBytes / entryBytes)) * entryBytes
  }

  #idOf(entry: number): number {
    const chunk = this.#chunkPlaces.findIndex(place => place !== 0 && entry >= place && entry < place + chunkBytes)
    const place = this.#chunkPlaces[chunk] ?? 0
    return chunk * (chunkBytes / entryBytes) + (entry - place) / entryBytes
  }

  #format(entry: number): number {
    return this.#view.getUint8(entry + 7)
  }

  #image(entry: number): Uint8Array | undefined {
    const at = this.#view.getUint32(entry, true) * sectorBytes
    const length = this.#view.getUint32(entry + 4, true) & 0xffffff
    return at + length <= this.bytes.length && length < 1 << 19 ? this.bytes.subarray(at, at + length) : undefined
  }

  #unpack(entry: number): Uint8Array | undefined {
    const image = this.#image(entry)
    if (image === undefined) return undefined
    if ((this.#format(entry) & lz4Format) !== 0) return this.#tools.unpack(image, this.#original(20))
    return image.length === this.#original(20) ? image.slice() : undefined
  }

  #sealChunks(): void {
    for (const [chunk, place] of this.#chunkPlaces.entries()) {
      if (place === 0) continue
      const checksum = this.#tools.xxh32(this.bytes.subarray(place, place + chunkBytes), chunk)
      this.#view.setUint32(this.#directory + chunk * directoryEntryBytes + 8, checksum, true)
    }
    this.#sealDirectory()
  }

  #sealDirectory(): void {
    const at = this.#directory
    const checksum = this.#tools.xxh32(this.bytes.subarray(at, at + this.#chunks * directoryEntryBytes), 0)
    for (const slot of [0, 1]) {
      this.#view.setUint32(slot * blockBytes + 120, checksum, true)
      this.#sealMeta(slot)
    }
  }

  #sealMeta(slot: number): void {
    const at = slot * blockBytes
    const checksum = this.#tools.xxh32(this.bytes.subarray(at, at + metaBytes - 4), 0)
    this.#view.setUint32(at + metaBytes - 4, checksum, true)
  }

  #grow(length: number): void {
    const larger = new Uint8Array(length)
    larger.set(this.bytes)
    this.bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

const widths = [1, 2, 4, 4] as const

function widthOf(field: number): 1 | 2 | 4 {
  return widths[(field >>> 12) & 3] ?? 4
}

function put(page: DataView, offset: number, value: number, width: 1 | 2 | 4): void {
  const at = offset % (page.byteLength - 3)
  if (width === 1) page.setUint8(at, value)
  else if (width === 2) page.setUint16(at, value, true)
  else page.setUint32(at, value, true)
}

/** Place of a slot, counted modulo how many there are. */
function slotOf(page: DataView, number: number): number {
  const count = Math.max(1, page.getUint16(6, true))
  const slots = (64 + page.getUint16(8, true) + 3) & ~3
  return Math.min(slots + (number % count) * 8, page.byteLength - 8)
}

function changeSlot(page: DataView, field: number, value: number): void {
  const slot = slotOf(page, field & 0xff)
  const part = (field >>> 8) % 3
  if (part === 0) page.setUint32(slot, value, true)
  else page.setUint16(slot + 2 + part * 2, value, true)
}

function changeCell(page: DataView, field: number, value: number): void {
  const cell = page.getUint16(slotOf(page, field & 0xff) + 4, true)
  put(page, cell + ((field >>> 8) & 0xf), value, widthOf(field))
}
