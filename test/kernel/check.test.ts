import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  CORRUPT,
  FRAME_DIRECTORY,
  FRAME_GAP,
  IMAGE,
  KEY,
  MISS,
  OK,
  VALUE_BYTES,
  WANTED_PAGE,
  WANTED_RECORD
} from '../../assembly/state.ts'
import { main, type Operation, Pager, type Saved } from './pager.ts'
import { examine } from './soundness.ts'

// A page that is damaged is either refused, or nothing that is done with it reaches beyond it. Its frame lies between
// frames of pages whose bytes are known, so that a write outside of it is seen; lengths tell of reads.

const pageBytes = 4096
const frameBytes = pageBytes + FRAME_GAP

interface Prepared {
  readonly pager: Pager
  readonly saved: Saved
  /** The page to be damaged. */
  readonly id: number
  readonly frame: number
  readonly tree: number
  readonly root: number
  readonly keys: readonly string[]
  /** What stands before and behind the root's frame: other frames without their headers, and the gaps. */
  readonly guards: readonly { readonly at: number; readonly content: Uint8Array }[]
}

const kinds = ['leaf', 'branch', 'large', 'leaf below a branch'] as const
type Kind = (typeof kinds)[number]

/** A small tree whose root stands between the frames of two other trees' roots; which page of it is to be damaged. */
async function prepare(build: 'wasm' | 'javascript', kind: Kind): Promise<Prepared> {
  const pager = await Pager.make(build, pageBytes, 128)
  // Those made together stand side by side.
  expect(pager.kernel.exports.reserveFrames(32)).toBe(OK)
  const create = (tree: number): Operation => ({ type: 'create', tree, name: `tree ${tree}` })
  pager.commit([create(2), create(3), create(4)])
  const keys = kind.includes('branch') ? fatKeys(60) : fatKeys(7).map(key => key.slice(-14))
  for (const tree of [2, 4]) pager.put('guard', 'g'.repeat(900), tree)
  for (const [i, key] of keys.entries()) {
    if (kind === 'large' && i % 2 === 0) pager.commit([{ type: 'large', tree: 3, key, segments: 2 }])
    else pager.put(key, 'v'.repeat(i * 3), 3)
  }
  const root = pager.rootOf('tree 3') ?? 0
  const rootFrame = pager.kernel.exports.frameOf(root)
  const guard = (from: number, to: number) => ({ at: from, content: pager.bytes.slice(from, to) })
  const next = rootFrame + frameBytes
  const neighbours = [guard(rootFrame - frameBytes + 64, rootFrame), guard(next + 64, next + pageBytes)]
  for (const { content } of neighbours) expect(Buffer.from(content).includes('guard')).toBe(true)
  const guards = [...neighbours, guard(rootFrame + pageBytes, next)]
  const id = kind === 'leaf below a branch' ? secondChild(pager, rootFrame) : root
  return { pager, saved: pager.save(), id, frame: pager.kernel.exports.frameOf(id), tree: 3, root, keys, guards }
}

function secondChild(pager: Pager, branch: number): number {
  const header = new DataView(pager.bytes.buffer, branch)
  const slot = (64 + header.getUint16(8, true) + 3) & ~3
  return header.getUint32(header.getUint16(slot + 4, true), true)
}

function fatKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${'abcdefgh'[i % 8]}${'f'.repeat(120 + i)}key ${i}`)
}

/** Does everything with the damaged page that can be done with one; whether the page was taken for sound. */
function use(prepared: Prepared, damage: readonly (readonly [offset: number, byte: number])[]): boolean {
  const { pager, saved, id, frame } = prepared
  const { bytes } = pager
  const good = damage.map(([offset]) => bytes[frame + offset] ?? 0)
  for (const [offset, byte] of damage) bytes[frame + offset] = byte
  if (!pager.kernel.exports.isSound(frame, id)) {
    for (const [i, [offset]] of damage.entries()) bytes[frame + offset] = good[i] ?? 0
    return false
  }
  read(prepared)
  for (const operations of changes(prepared)) {
    change(prepared, operations)
    pager.restore(saved)
    for (const [offset, byte] of damage) pager.bytes[frame + offset] = byte
  }
  pager.restore(saved)
  return true
}

function read({ pager, tree, root, keys, frame }: Prepared): void {
  const { exports } = pager.kernel
  const firstFrame = pager.cell(pager.cell(FRAME_DIRECTORY))
  for (const key of ['', 'a', ...keys, '\xff']) {
    pager.bytes.set(Buffer.from(key, 'latin1'), KEY)
    const address = exports.get(tree, root, 0, key.length) | 0
    if (address < 0) continue
    const inside = (address - firstFrame) % frameBytes
    expect(inside + pager.cell(VALUE_BYTES)).toBeLessThanOrEqual(pageBytes)
  }
  for (const reverse of [false, true]) {
    // Rows are checked against the length of all of them by the pager.
    answer(() => pager.scan({ tree, root }, { reverse }).length)
  }
  expect(exports.packImage(frame, pager.cell(IMAGE), 1)).toBeLessThanOrEqual(pageBytes)
}

/** Runs what may end in a refusal. */
function answer(run: () => number): number {
  try {
    return run()
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(`status ${CORRUPT}`)) return CORRUPT
    if (error instanceof Error && error.message.includes('has no image')) return CORRUPT
    throw error
  }
}

function changes({ tree, keys }: Prepared): Operation[][] {
  const put = (key: string, size: number): Operation => ({ type: 'put', tree, key, value: 'w'.repeat(size) })
  const some = keys.filter((_, i) => i % 6 === 1)
  return [
    some.map((key, i) => put(key, i * 3)),
    ['A', 'b', ...some, 'zz'].map(key => put(`${key.slice(0, 100)}+`, 300)),
    keys.map(key => ({ type: 'delete', tree, key })),
    [{ type: 'clear', tree, from: 'b', to: 'e' }],
    [{ type: 'clear', tree, from: '', to: undefined }],
    [{ type: 'drop', tree, name: 'tree 3' }],
    [{ type: 'large', tree, key: some[0] ?? 'a', segments: 1 }]
  ]
}

function change(prepared: Prepared, operations: readonly Operation[]): void {
  const { pager, guards } = prepared
  const { exports } = pager.kernel
  const length = pager.encode(operations)
  let status = exports.commit(length, 0)
  for (let misses = 0; status === MISS && misses < 1000; misses++) {
    const entry = exports.entryAt(pager.cell(WANTED_PAGE), 0)
    if (!pager.disk.has(pager.cell(entry))) break
    pager.bringIn(pager.cell(WANTED_PAGE), pager.cell(WANTED_RECORD))
    status = exports.resumeCommit()
  }
  expect([OK, MISS, CORRUPT]).toContain(status)
  for (const { at, content } of guards) {
    expect(Buffer.compare(pager.bytes.subarray(at, at + content.length), content)).toBe(0)
  }
}

describe.each(kinds)('a damaged page (%s)', kind => {
  let wasm: Prepared
  let javaScript: Prepared
  beforeAll(async () => {
    wasm = await prepare('wasm', kind)
    javaScript = await prepare('javascript', kind)
  })

  test('is sound before', () => {
    expect(wasm.pager.kernel.exports.isSound(wasm.frame, wasm.id)).toBeTruthy()
    read(wasm)
    for (const operations of changes(wasm)) {
      change(wasm, operations)
      wasm.pager.drain()
      examine(wasm.pager)
      wasm.pager.restore(wasm.saved)
    }
  })

  test('is refused or harmless, whichever byte is another', () => {
    const { pager, frame } = wasm
    const last = lastOffset(pager, frame)
    let refused = 0
    for (let offset = 0; offset < pageBytes; offset++) {
      // The gap between slots and heap holds nothing, and the memory part is never taken from disk.
      if ((offset >= 32 && offset < 64) || (offset > last && offset < pager.cell(frame + 12))) continue
      const byte = pager.bytes[frame + offset] ?? 0
      // Of keys and values, which most changes leave sound, one byte in three.
      if (offset > last && offset % 3 !== 0) continue
      for (const other of offset > last ? [byte ^ 0x80] : [byte ^ 1, byte ^ 0x80, (offset * 37) & 0xff]) {
        if (other !== byte && !use(wasm, [[offset, other]])) refused++
      }
    }
    expect(refused).toBeGreaterThan(100)
  })

  test('is refused or harmless, whichever few bytes are others, in both builds', () => {
    const { pager, frame } = wasm
    const last = lastOffset(pager, frame)
    const heap = pager.cell(frame + 12)
    const offset = fc.oneof(
      fc.integer({ min: 4, max: 31 }),
      fc.integer({ min: 64, max: last }),
      fc.integer({ min: heap, max: pageBytes - 1 })
    )
    const damage = fc.array(fc.tuple(offset, fc.oneof(fc.nat(255), fc.nat(20))), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(damage, bytes => {
        expect(use(javaScript, bytes)).toBe(use(wasm, bytes))
      }),
      { seed: 6, numRuns: 500, endOnFailure: true }
    )
  })
})

/** Offset of the last slot's last byte. */
function lastOffset(pager: Pager, frame: number): number {
  const header = new DataView(pager.bytes.buffer, frame)
  return ((64 + header.getUint16(8, true) + 3) & ~3) + header.getUint16(6, true) * 8 - 1
}

test('cells that overlap are refused, though their lengths add up', async () => {
  const pager = await Pager.make('wasm', pageBytes, 64)
  for (const key of ['aaaa1', 'bbbb2', 'cccc3']) pager.put(key, 'v'.repeat(20))
  const frame = pager.frame(main.root)
  const view = new DataView(pager.bytes.buffer, frame)
  const [first, second] = [view.getUint16(64 + 4, true), view.getUint16(64 + 12, true)]
  expect(first - second).toBe(4 + 5 + 20)
  // The second slot's cell is made to begin inside the first's value, in a copy of its bytes there.
  pager.bytes.copyWithin(frame + first + 9, frame + second, frame + second + 9)
  view.setUint32(first + 9, 8, true)
  view.setUint16(64 + 12, first + 9, true)
  view.setUint32(16, 4096 - view.getUint32(12, true) - 29 - 17 - 29, true)
  expect(pager.kernel.exports.isSound(frame, main.root)).toBeFalsy()
})
