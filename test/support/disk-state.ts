// What a simulated disk holds: per file a durable and a volatile layer, and the operations between them. Nothing but
// bytes and names: no faults, no counting, no locks (those are in simulated-disk.ts), so that a state can be copied and
// a recorded history be played into the copy.
import { createHash } from 'node:crypto'
import { assert } from '../../src/errors.ts'
import type { Random } from './random.ts'

type FileChange =
  | { readonly id: number; readonly type: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly type: 'zeros'; readonly offset: number; readonly length: number }
  | { readonly id: number; readonly type: 'resize'; readonly size: number }

type NameChange =
  | { readonly type: 'name'; readonly name: string; readonly node: number }
  | { readonly type: 'remove'; readonly name: string }
  | { readonly type: 'rename'; readonly from: string; readonly to: string; readonly node: number }

interface Node {
  volatile: Content
  durable: Content
  pending: FileChange[]
}

const chunkBytes = 16_384

/** Bytes in chunks that copies share until one of them writes; a chunk never written reads as zeros. */
class Content {
  size: number
  readonly #chunks: (Uint8Array | undefined)[]
  readonly #owned: boolean[] = []

  constructor(chunks: (Uint8Array | undefined)[] = [], size = 0) {
    this.#chunks = chunks
    this.size = size
  }

  copy(): Content {
    this.#owned.length = 0
    return new Content([...this.#chunks], this.size)
  }

  read(into: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(into.length, this.size - offset))
    forEachPart(offset, length, (index, from, at, bytes) => {
      const chunk = this.#chunks[index]
      if (chunk === undefined) into.fill(0, at, at + bytes)
      else into.set(chunk.subarray(from, from + bytes), at)
    })
    return length
  }

  write(bytes: Uint8Array, offset: number): void {
    if (bytes.length === 0) return
    forEachPart(offset, bytes.length, (index, from, at, length) => {
      this.#own(index).set(bytes.subarray(at, at + length), from)
    })
    this.size = Math.max(this.size, offset + bytes.length)
  }

  writeZeros(offset: number, length: number): void {
    forEachPart(offset, length, (index, from, _, bytes) => {
      if (bytes === chunkBytes) this.#chunks[index] = undefined
      else if (this.#chunks[index] !== undefined) this.#own(index).fill(0, from, from + bytes)
    })
    this.size = Math.max(this.size, offset + length)
  }

  resize(size: number): void {
    if (size < this.size) {
      const before = this.size
      this.writeZeros(size, before - size)
    }
    this.size = size
  }

  /** Visits the chunks that have been written, one after the other. */
  forEachChunk(visit: (index: number, bytes: Uint8Array) => void): void {
    this.#chunks.forEach((chunk, index) => {
      if (chunk !== undefined) visit(index, chunk)
    })
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.size)
    this.read(bytes, 0)
    return bytes
  }

  #own(index: number): Uint8Array {
    let chunk = this.#chunks[index]
    if (chunk === undefined) chunk = new Uint8Array(chunkBytes)
    else if (this.#owned[index] !== true) chunk = chunk.slice()
    this.#chunks[index] = chunk
    this.#owned[index] = true
    return chunk
  }
}

/** Calls `visit(chunk, place in the chunk, place in the buffer, bytes)` for each piece of a range. */
function forEachPart(
  offset: number,
  length: number,
  visit: (index: number, from: number, at: number, bytes: number) => void
): void {
  for (let at = 0; at < length; ) {
    const from = (offset + at) % chunkBytes
    const bytes = Math.min(chunkBytes - from, length - at)
    visit(Math.floor((offset + at) / chunkBytes), from, at, bytes)
    at += bytes
  }
}

/** What a crash does with the changes that no sync has covered: each has a fate of its own, or all the same one. */
export type CrashMood = 'mixed' | 'lost' | 'kept'

const moods: readonly CrashMood[] = ['lost', 'kept']

export class DiskState {
  #nodes: Node[] = []
  #names = new Map<string, number>()
  #durableNames = new Map<string, number>()
  #pendingNames: NameChange[] = []
  #changes = 0

  copy(): DiskState {
    const copy = new DiskState()
    copy.#nodes = this.#nodes.map(node => ({
      volatile: node.volatile.copy(),
      durable: node.durable.copy(),
      pending: [...node.pending]
    }))
    copy.#names = new Map(this.#names)
    copy.#durableNames = new Map(this.#durableNames)
    copy.#pendingNames = [...this.#pendingNames]
    copy.#changes = this.#changes
    return copy
  }

  get names(): string[] {
    return [...this.#names.keys()].sort()
  }

  node(name: string): number | undefined {
    return this.#names.get(name)
  }

  /** A file's bytes as they read now. */
  bytes(name: string): Uint8Array {
    const node = this.#names.get(name)
    assert(node !== undefined, `${name} is on the disk`)
    return this.#node(node).volatile.bytes()
  }

  /** Gives a file this content, durably. */
  place(name: string, bytes: Uint8Array): void {
    const content = new Content()
    content.write(bytes, 0)
    const node = this.#nodes.push({ volatile: content.copy(), durable: content, pending: [] }) - 1
    this.#names.set(name, node)
    this.#durableNames.set(name, node)
  }

  size(node: number): number {
    return this.#node(node).volatile.size
  }

  read(node: number, into: Uint8Array, offset: number): number {
    return this.#node(node).volatile.read(into, offset)
  }

  write(node: number, bytes: Uint8Array, offset: number): void {
    const id = this.#changes++
    if (isZero(bytes)) this.#change(node, { id, type: 'zeros', offset, length: bytes.length })
    else this.#change(node, { id, type: 'write', offset, bytes })
  }

  resize(node: number, size: number): void {
    this.#change(node, { id: this.#changes++, type: 'resize', size })
  }

  /** A sync begins now; `endSync` gets the result. */
  beginSync(): number {
    return this.#changes
  }

  /** What was changed before the sync began is durable. */
  endSync(node: number, begun: number): void {
    const { durable, pending } = this.#node(node)
    while (pending[0] !== undefined && pending[0].id < begun) {
      const change = pending.shift()
      if (change !== undefined) apply(durable, change)
    }
  }

  /** The sync fails: what it should have made durable stays readable, but only pieces of it ever reach the disk. */
  failSync(node: number, begun: number, random: Random): void {
    const { durable, pending } = this.#node(node)
    while (pending[0] !== undefined && pending[0].id < begun) {
      const change = pending.shift()
      if (change !== undefined) applyPieces(durable, change, random)
    }
  }

  create(name: string): number {
    const node = this.#nodes.push({ volatile: new Content(), durable: new Content(), pending: [] }) - 1
    this.#names.set(name, node)
    this.#pendingNames.push({ type: 'name', name, node })
    return node
  }

  remove(name: string): void {
    this.#names.delete(name)
    this.#pendingNames.push({ type: 'remove', name })
  }

  rename(from: string, to: string): void {
    const node = this.#names.get(from)
    assert(node !== undefined, `${from} is on the disk`)
    this.#names.delete(from)
    this.#names.set(to, node)
    this.#pendingNames.push({ type: 'rename', from, to, node })
  }

  /** Makes the names in a folder durable. */
  syncNames(folder = ''): void {
    const isInside = (name: string) => folderOf(name) === folder
    const pending = this.#pendingNames
    this.#pendingNames = pending.filter(change => !isInside(change.type === 'rename' ? change.to : change.name))
    for (const change of pending) if (!this.#pendingNames.includes(change)) applyName(this.#durableNames, change)
  }

  /** The same bytes under the same names in a folder give the same text, as they read now. */
  fingerprint(folder = ''): string {
    const hash = createHash('md5')
    for (const name of this.names) {
      if (folderOf(name) !== folder) continue
      const content = this.#node(this.#names.get(name) ?? -1).volatile
      hash.update(`${name} ${content.size}\n`)
      content.forEachChunk((index, bytes) => {
        if (!isZero(bytes)) hash.update(`${index}`).update(bytes)
      })
    }
    return hash.digest('base64')
  }

  /** The power fails: each change since the last sync is kept, dropped or torn. */
  crash(random: Random, mood?: CrashMood): void {
    // Crashes that lose everything or nothing find more faults than others, so they are made more often.
    const chosen = mood ?? moods[random.below(6)] ?? 'mixed'
    const chanceOfName = { mixed: 0.5, lost: 0, kept: 1 }[chosen]
    for (const change of this.#pendingNames) {
      if (random.chance(chanceOfName)) applyName(this.#durableNames, change)
    }
    this.#pendingNames = []
    this.#names = new Map(this.#durableNames)
    for (const node of this.#nodes) {
      for (const change of node.pending) {
        if (chosen === 'kept') apply(node.durable, change)
        else if (chosen === 'mixed') applyPieces(node.durable, change, random)
      }
      node.pending = []
      node.volatile = node.durable.copy()
    }
  }

  #change(node: number, change: FileChange): void {
    const { volatile, pending } = this.#node(node)
    apply(volatile, change)
    pending.push(change)
  }

  #node(index: number): Node {
    const node = this.#nodes[index]
    assert(node !== undefined, `file ${index} is on the disk`)
    return node
  }
}

/** What stands before the last slash of a name. */
export function folderOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

function apply(content: Content, change: FileChange): void {
  if (change.type === 'write') content.write(change.bytes, change.offset)
  else if (change.type === 'zeros') content.writeZeros(change.offset, change.length)
  else content.resize(change.size)
}

function isZero(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes.length <= zeros.length && zeros.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}

const zeros = Buffer.alloc(2 << 20)

/** Kept, dropped, or, of a write, some of its bytes: a beginning, or sectors or blocks here and there. */
function applyPieces(content: Content, change: FileChange, random: Random): void {
  const fate = random.below(10)
  if (fate < 3) return
  if (fate < 6 || change.type === 'resize') {
    apply(content, change)
    return
  }
  const { offset } = change
  const length = change.type === 'write' ? change.bytes.length : change.length
  const keep = (from: number, to: number) => {
    if (change.type === 'write') content.write(change.bytes.subarray(from, to), offset + from)
    else content.writeZeros(offset + from, to - from)
  }
  if (fate < 8) {
    // Torn near the beginning more often: headers are there.
    keep(0, random.below(random.chance(0.5) ? Math.min(length, 512) : length))
    return
  }
  // A long write is torn in few places, so that the pieces are long, too.
  const unit = length > 65_536 ? 16_384 : fate === 8 ? 512 : 4_096
  for (let at = 0; at < length; ) {
    // Pieces end where the disk's units end.
    const end = Math.min(length, at + unit - ((offset + at) % unit))
    if (random.chance(0.5)) keep(at, end)
    at = end
  }
}

function applyName(names: Map<string, number>, change: NameChange): void {
  if (change.type === 'name') names.set(change.name, change.node)
  else if (change.type === 'remove') names.delete(change.name)
  else {
    if (names.get(change.from) === change.node) names.delete(change.from)
    names.set(change.to, change.node)
  }
}
