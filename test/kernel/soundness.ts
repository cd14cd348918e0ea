// An independent look at a whole kernel: every page is read here by its documented layout, not by the kernel's code.
import { SUFFIX_BYTES_MASK } from '../../assembly/page.ts'
import {
  FRAME_COUNT,
  FRAME_DIRECTORY,
  FRAME_GAP,
  FRAMES_DIRTY,
  FRAMES_FREE,
  FREE_ID_LIST,
  PAGES_USED,
  RELEASED,
  TABLE_DIRECTORY,
  TABLE_LIMIT
} from '../../assembly/state.ts'
import { catalog, main, type Pager } from './pager.ts'

interface Place {
  readonly id: number
  readonly tree: number
  readonly level: number | undefined
  readonly lower: string | undefined
  readonly upper: string | undefined
}

export interface Shape {
  readonly pages: number
  readonly leaves: number
  readonly height: number
  readonly entries: number
}

/**
 * Walks every tree and looks at everything the kernel holds about pages, frames and images.
 *
 * @throws Error that says what is wrong.
 */
export function examine(pager: Pager): Shape {
  const reached = new Map<number, string>()
  const shape = { pages: 0, leaves: 0, height: 0, entries: 0 }
  const roots = [catalog, main]
  for (const { value } of pager.scan(catalog, {})) {
    const bytes = Buffer.from(value, 'latin1')
    roots.push({ tree: bytes.readUInt32LE(0), root: bytes.readUInt32LE(4) })
  }
  for (const { tree, root } of roots) {
    const places: Place[] = [{ id: root, tree, level: undefined, lower: undefined, upper: undefined }]
    let previous: string | undefined
    for (let place = places.pop(); place; place = places.pop()) {
      const page = readPage(pager, place, reached)
      shape.pages++
      if (place.level === undefined && tree === main.tree) shape.height = page.level
      for (const key of page.keys) {
        if (place.lower !== undefined && key < place.lower) wrong(place, 'a key is below its bound')
        if (place.upper !== undefined && key >= place.upper) wrong(place, 'a key is not below its bound')
      }
      if (page.level === 0) {
        shape.leaves++
        shape.entries += page.keys.length
        for (const key of page.keys) {
          if (previous !== undefined && previous >= key) wrong(place, 'leaves are not in order')
          previous = key
        }
      }
      for (let i = page.children.length - 1; i >= 0; i--) {
        places.push({
          id: page.children[i] ?? 0,
          tree,
          level: page.level - 1,
          lower: i === 0 ? place.lower : page.keys[i - 1],
          upper: page.keys[i] ?? place.upper
        })
      }
    }
  }
  examineIds(pager, reached)
  examineFrames(pager)
  examineImages(pager)
  return shape
}

function wrong(place: Place, what: string): never {
  throw new Error(`tree ${place.tree}, page ${place.id}: ${what}`)
}

interface Page {
  readonly level: number
  readonly keys: string[]
  readonly children: number[]
}

function readPage(pager: Pager, place: Place, reached: Map<number, string>): Page {
  const { id } = place
  reach(reached, id, `page of tree ${place.tree}`)
  const frame = pager.frame(id)
  if (!pager.kernel.exports.isSound(frame, id)) wrong(place, `not sound (problem ${pager.cell(552)})`)
  const bytes = Buffer.from(pager.bytes.buffer, frame, pager.pageBytes)
  const level = bytes.readUInt8(5)
  if (place.level !== undefined && level !== place.level) wrong(place, `level ${level} in place of ${place.level}`)
  if (bytes.readUInt32LE(24) !== place.tree) wrong(place, 'it is of another tree')
  const count = bytes.readUInt16LE(6)
  const prefixBytes = bytes.readUInt16LE(8)
  const prefix = bytes.toString('latin1', 64, 64 + prefixBytes)
  const slots = (64 + prefixBytes + 3) & ~3
  const keys: string[] = []
  const children = level === 0 ? [] : [bytes.readUInt32LE(20)]
  for (let i = 0; i < count; i++) {
    const slot = slots + i * 8
    const cell = bytes.readUInt16LE(slot + 4)
    const suffixBytes = bytes.readUInt16LE(slot + 6) & SUFFIX_BYTES_MASK
    const key = prefix + bytes.toString('latin1', cell + 4, cell + 4 + suffixBytes)
    const before = keys.at(-1)
    if (before !== undefined && before >= key) wrong(place, 'keys are not in order')
    keys.push(key)
    if (level > 0) children.push(bytes.readUInt32LE(cell))
    else if (bytes.readUInt8(cell + 3) !== 0) reachChain(pager, bytes.readUInt32LE(cell + 4 + suffixBytes), reached)
  }
  return { level, keys, children }
}

function reach(reached: Map<number, string>, id: number, what: string): void {
  const before = reached.get(id)
  if (before !== undefined) throw new Error(`${what} ${id} was already reached as ${before}`)
  reached.set(id, what)
}

function reachChain(pager: Pager, first: number, reached: Map<number, string>): void {
  for (let id = first; id !== 0; id = pager.cell(pager.kernel.exports.entryAt(id, 0) + 20)) {
    reach(reached, id, 'segment')
    if (!(formatOf(pager, id) & 0x10)) throw new Error(`page ${id} is not a segment`)
  }
}

function formatOf(pager: Pager, id: number): number {
  return pager.cell(pager.kernel.exports.entryAt(id, 0) + 4) >>> 24
}

function examineIds(pager: Pager, reached: ReadonlyMap<number, string>): void {
  const limit = pager.cell(TABLE_LIMIT)
  if (pager.cell(PAGES_USED) !== reached.size) {
    throw new Error(`${pager.cell(PAGES_USED)} pages are in use, ${reached.size} can be reached`)
  }
  const free = new Set<number>()
  for (let next = pager.cell(FREE_ID_LIST); next !== 0; ) {
    const id = next - 1
    if (free.has(id) || reached.has(id) || id === 0 || id >= limit)
      throw new Error(`id ${id} stands wrongly on the free list`)
    free.add(id)
    next = pager.cell(pager.kernel.exports.entryAt(id, 0) + 20)
  }
  for (let id = 1; id < limit; id++) {
    const used = (formatOf(pager, id) & 0x40) !== 0
    if (used !== reached.has(id)) throw new Error(`id ${id} is ${used ? '' : 'not '}in use, but ${reached.get(id)}`)
    if (used === free.has(id)) throw new Error(`id ${id} is neither used nor free`)
  }
}

function examineFrames(pager: Pager): void {
  const count = pager.cell(FRAME_COUNT)
  let free = 0
  let dirty = 0
  for (let i = 0; i < count; i++) {
    const frame = pager.cell(pager.cell(FRAME_DIRECTORY) + (i >>> 6) * 4) + (i & 63) * (pager.pageBytes + FRAME_GAP)
    const use = pager.bytes[frame + 32]
    if (pager.bytes[frame + 33] !== 0) dirty++
    if (use === 0) free++
    else if (use === 1) {
      if (pager.kernel.exports.frameOf(pager.cell(frame)) >>> 0 !== frame) throw new Error(`frame ${i} is nobody's`)
    } else if (pager.cell(pager.cell(frame + 36) + 16) !== frame) throw new Error(`frame ${i} is no record's`)
  }
  if (free !== pager.cell(FRAMES_FREE)) throw new Error(`${free} frames are free, not ${pager.cell(FRAMES_FREE)}`)
  if (dirty !== pager.cell(FRAMES_DIRTY)) throw new Error(`${dirty} frames are dirty, not ${pager.cell(FRAMES_DIRTY)}`)
}

/** Sectors that entries, and records of older versions, name. */
function examineImages(pager: Pager): void {
  if (pager.cell(RELEASED) !== 0) throw new Error('images wait for their release')
  const named = new Set<number>()
  const name = (entry: number, of: string) => {
    const sector = pager.cell(entry)
    if (sector === 0) return
    if (named.has(sector)) throw new Error(`sector ${sector} is named twice, also by ${of}`)
    if (!pager.alive.has(sector)) throw new Error(`sector ${sector} of ${of} was released`)
    named.add(sector)
  }
  for (let id = 1; id < pager.cell(TABLE_LIMIT); id++) {
    name(pager.kernel.exports.entryAt(id, 0), `page ${id}`)
    for (let record = chainOf(pager, id); record !== 0; record = pager.cell(record)) {
      if (pager.cell(record + 4) !== id)
        throw new Error(`a record of page ${pager.cell(record + 4)} in page ${id}'s chain`)
      name(record + 24, `a version of page ${id}`)
    }
  }
  for (const sector of pager.alive) if (!named.has(sector)) throw new Error(`nobody names sector ${sector}`)
}

/** The newest record of the page's older versions. */
export function chainOf(pager: Pager, id: number): number {
  const segment = pager.cell(pager.cell(TABLE_DIRECTORY) + (id >>> 12) * 4)
  return pager.cell(segment + 16384 + (id & 4095) * 4)
}
