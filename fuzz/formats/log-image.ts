// A log to be damaged on purpose: the frames of a log's chain, changed, then chained again with right checksums, so that
// the checks behind the checksums are reached.
import type { ScriptRecord } from './script.ts'
import type { Tools } from './tools.ts'

export const frameHeaderBytes = 56

/** Kinds of changes that `change` knows. */
const logChanges = 12

/** Where the chain of a log begins; from the meta. */
export interface LogStart {
  readonly offset: number
  readonly previous: number
  readonly incarnation: readonly [number, number]
  readonly lsn: number
  readonly identity: number
}

export class LogImage {
  readonly #start: LogStart
  readonly #tools: Tools
  #frames: Uint8Array[] = []
  /** Frames from this one on stand in the other file. */
  #switchAt = Number.POSITIVE_INFINITY

  constructor(file: Uint8Array, start: LogStart, tools: Tools) {
    this.#start = start
    this.#tools = tools
    let at = start.offset
    while (at + frameHeaderBytes <= file.length) {
      const length = wordOf(file, at)
      if (length < frameHeaderBytes || at + length > file.length || wordOf(file, at + 8) !== start.identity) break
      this.#frames.push(file.slice(at, at + length))
      at += length
    }
  }

  /** Where each frame ends in the file that the chain begins in. */
  get ends(): number[] {
    let at = this.#start.offset
    return this.#frames.map(frame => {
      at += frame.length
      return at
    })
  }

  change({ op, item, field, value }: ScriptRecord): void {
    const kind = op % logChanges
    const at = item % Math.max(1, this.#frames.length)
    const frame = this.#frames[at]
    if (kind === 0 || frame === undefined) this.#append(field, item, value)
    else if (kind === 1) setWord(frame, (field % 14) * 4, value)
    else if (kind === 2) this.#frames.splice(at, 1)
    else if (kind === 3) this.#frames.splice(at, 0, frame.slice())
    else if (kind === 4) this.#frames.splice(at, 1, ...this.#frames.splice(field % this.#frames.length, 1, frame))
    else if (kind === 5) this.#switchAt = at
    else if (kind === 6) this.#frames[at] = resized(frame, frame.length + (field % 64) * 8)
    else if (kind === 7) this.#frames[at] = resized(frame, frame.length - (field % 64) * 8)
    else if (kind === 8) frame[frameHeaderBytes + (field % Math.max(1, frame.length - frameHeaderBytes))] = value
    else if (kind === 9) setWord(frame, (frameHeaderBytes + (field % 64)) & ~3, value)
    else if (kind === 10) setWord(frame, 48, value % 1_024)
    else this.#frames[at] = withOperation(frame, field, value)
  }

  /** The two files. Every frame continues the one before it. */
  files(base: Uint8Array): [Uint8Array, Uint8Array] {
    const parts: [Uint8Array[], Uint8Array[]] = [[base.slice(0, this.#start.offset)], []]
    let { previous } = this.#start
    for (const [i, frame] of this.#frames.entries()) {
      setWord(frame, 0, frame.length)
      setWord(frame, 8, this.#start.identity)
      setWord(frame, 12, previous)
      previous = this.#tools.xxh32(frame.subarray(8), (this.#start.identity + frame.length) >>> 0)
      setWord(frame, 4, previous)
      parts[i < this.#switchAt ? 0 : 1].push(frame)
    }
    return [
      Uint8Array.from(Buffer.concat([...parts[0], new Uint8Array(4_096)])),
      Uint8Array.from(Buffer.concat(parts[1]))
    ]
  }

  /** A commit of one operation. */
  #append(field: number, item: number, value: number): void {
    const last = this.#frames.at(-1)
    const operation = makeOperation(field, item, value)
    const bytes = new Uint8Array((frameHeaderBytes + operation.length + 7) & ~7)
    if (last !== undefined) bytes.set(last.subarray(0, frameHeaderBytes))
    else {
      setWord(bytes, 16, this.#start.incarnation[0])
      setWord(bytes, 20, this.#start.incarnation[1])
    }
    const isNote = last !== undefined && (wordOf(last, 52) & 3) !== 0
    setWord(bytes, 24, (last === undefined ? this.#start.lsn : wordOf(last, 24)) + (isNote ? 0 : 1))
    setWord(bytes, 48, operation.length)
    setWord(bytes, 52, item & 0x80 ? 1 : 0)
    bytes.set(operation, frameHeaderBytes)
    this.#frames.push(bytes)
  }
}

/** An operation of any type, its key and value lengths from the field, its tree and bytes from the value. */
function makeOperation(field: number, item: number, value: number): Uint8Array {
  const type = field % 9
  const keyBytes = (field >>> 4) % 40
  const valueBytes = type === 4 ? 4 + 12 * (1 + ((field >>> 9) & 3)) : ((field >>> 9) & 0x7f) * 8
  const bytes = new Uint8Array(12 + keyBytes + valueBytes).fill(value & 0xff, 12)
  bytes[0] = type
  bytes[1] = type === 3 ? item & 1 : 0
  new DataView(bytes.buffer).setUint16(2, keyBytes, true)
  setWord(bytes, 4, (value >>> 8) % 6)
  setWord(bytes, 8, valueBytes)
  if (keyBytes > 0) bytes[12] = item
  return bytes
}

/** Another operation in the frame's place of the first one. */
function withOperation(frame: Uint8Array, field: number, value: number): Uint8Array {
  const operation = makeOperation(field, value & 0xff, value)
  const changed = new Uint8Array((frameHeaderBytes + operation.length + 7) & ~7)
  changed.set(frame.subarray(0, frameHeaderBytes))
  changed.set(operation, frameHeaderBytes)
  setWord(changed, 48, operation.length)
  return changed
}

function resized(frame: Uint8Array, length: number): Uint8Array {
  const changed = new Uint8Array(Math.max(frameHeaderBytes, length))
  changed.set(frame.subarray(0, changed.length))
  setWord(changed, 48, changed.length - frameHeaderBytes)
  return changed
}

function wordOf(bytes: Uint8Array, at: number): number {
  return at + 4 <= bytes.length ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true) : 0
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  if (at + 4 <= bytes.length) new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value >>> 0, true)
}
