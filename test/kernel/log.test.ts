import { describe, expect, test } from 'vitest'
import {
  DURABLE_HIGH,
  DURABLE_LOW,
  IDENTITY,
  INCARNATION_HIGH,
  INCARNATION_LOW,
  LOG,
  LOG_BYTES,
  LSN_HIGH,
  LSN_LOW,
  TIME_HIGH,
  TIME_LOW
} from '../../assembly/state.ts'
import { CONTINUES } from '../../assembly/log.ts'
import { main, Pager } from './pager.ts'

/** A kernel with three frames in its log area, and where they begin. */
async function threeFrames(build: 'wasm' | 'javascript'): Promise<{ pager: Pager; frames: number[]; end: number }> {
  const pager = await Pager.make(build, 4096, 64)
  pager.setCell(IDENTITY, 0xdeadbeef)
  pager.setCell(INCARNATION_LOW, 11)
  pager.setCell(INCARNATION_HIGH, 12)
  pager.setCell(DURABLE_LOW, 13)
  pager.setCell(DURABLE_HIGH, 14)
  pager.setCell(TIME_LOW, 15)
  pager.setCell(TIME_HIGH, 16)
  const frames: number[] = []
  for (const value of ['one', 'two, longer', 'three']) {
    frames.push(pager.cell(LOG) + pager.cell(LOG_BYTES))
    pager.must(pager.kernel.exports.commit(pager.encode([{ type: 'put', tree: 1, key: 'key', value }]), 0))
  }
  return { pager, frames, end: pager.cell(LOG) + pager.cell(LOG_BYTES) }
}

describe.each(['wasm', 'javascript'] as const)('log frames of the %s build', build => {
  test('are chained, numbered and whole', async () => {
    const { pager, frames, end } = await threeFrames(build)
    const words = frames.map(frame => Array.from({ length: 14 }, (_, i) => pager.cell(frame + i * 4)))
    for (const [i, word] of words.entries()) {
      const bytes = pager.kernel.exports.frameBytes(frames[i] ?? 0, end - (frames[i] ?? 0))
      expect(bytes).toBe((frames[i + 1] ?? end) - (frames[i] ?? 0))
      const before = i === 0 ? 0 : words[i - 1]?.[1]
      expect(word.slice(2)).toEqual([
        0xdeadbeef,
        before,
        11,
        12,
        i + 1,
        0,
        13,
        14,
        15,
        16,
        15 + ([3, 11, 5][i] ?? 0),
        0
      ])
    }
    expect(pager.get(main, 'key')).toBe('three')
  })

  test('are not found when cut short by any number of bytes', async () => {
    const { pager, frames, end } = await threeFrames(build)
    const last = frames[2] ?? 0
    for (let room = 0; room < end - last; room++) expect(pager.kernel.exports.frameBytes(last, room)).toBe(0)
    expect(pager.kernel.exports.findFrame(last, end - 1)).toBe(0)
    expect(pager.kernel.exports.findFrame(last, end) >>> 0).toBe(last)
  })

  test('are not found when any bit is another', async () => {
    const { pager, frames, end } = await threeFrames(build)
    const [first = 0, second = 0] = frames
    for (let at = first; at < second; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const { bytes } = pager
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        expect(pager.kernel.exports.frameBytes(first, end - first)).toBe(0)
        expect(pager.kernel.exports.findFrame(first, end) >>> 0).toBe(second)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      }
    }
    expect(pager.kernel.exports.findFrame(first, end) >>> 0).toBe(first)
  })

  test('of one commit share its number, which goes up with the last, beyond 32 bits too', async () => {
    const pager = await Pager.make(build, 4096, 64)
    pager.setCell(LSN_LOW, 0xffffffff)
    const numbers: number[][] = []
    for (const flags of [CONTINUES, CONTINUES, 0, 0]) {
      const frame = pager.cell(LOG) + pager.cell(LOG_BYTES)
      const length = pager.encode([{ type: 'put', tree: 1, key: 'key', value: 'value' }])
      pager.must(pager.kernel.exports.commit(length, flags))
      numbers.push([pager.cell(frame + 24), pager.cell(frame + 28), pager.cell(frame + 52)])
    }
    expect(numbers).toEqual([
      [0xffffffff, 0, 1],
      [0xffffffff, 0, 1],
      [0xffffffff, 0, 0],
      [0, 1, 0]
    ])
    expect([pager.cell(LSN_LOW), pager.cell(LSN_HIGH)]).toEqual([1, 1])
  })

  test('hold one put whose key and value the caller wrote in place', async () => {
    const pager = await Pager.make(build, 4096, 64)
    pager.bytes.set(Buffer.from('keyvalue'), pager.kernel.exports.nextOperation() + 12)
    expect(pager.kernel.exports.commitPut(1, 3, 5)).toBe(0)
    expect(pager.get(main, 'key')).toBe('value')
  })

  test('are joined by single operations, each a commit, until something else wants the log', async () => {
    const pager = await Pager.make(build, 4096, 64)
    pager.setCell(LSN_LOW, 0xffffffff)
    const { exports } = pager.kernel
    const frame = pager.cell(LOG) + pager.cell(LOG_BYTES)
    for (const key of ['a', 'b', 'c']) {
      pager.bytes.set(Buffer.from(`${key}value`), (exports.nextOperation() >>> 0) + 12)
      pager.must(exports.commitPut(1, 1, 5))
    }
    pager.bytes.set(Buffer.from('b'), (exports.nextOperation() >>> 0) + 12)
    pager.must(exports.commitDelete(1, 1))
    expect([pager.cell(LSN_LOW), pager.cell(LSN_HIGH)]).toEqual([3, 1])
    expect(exports.frameBytes(frame, 4096)).toBe(0)
    pager.must(exports.commit(pager.encode([{ type: 'put', tree: 1, key: 'd', value: 'other' }]), 0))
    const bytes = exports.frameBytes(frame, 4096)
    expect(bytes).toBe(56 + 3 * 18 + 13 + 5)
    expect([24, 28, 48, 52].map(offset => pager.cell(frame + offset))).toEqual([0xffffffff, 0, 67, 3 << 16])
    expect(pager.cell(frame + bytes + 24)).toBe(3)
    expect(pager.cell(frame + bytes + 12)).toBe(pager.cell(frame + 4))
  })

  test('that were joined give every operation its number when they are replayed', async () => {
    const pager = await Pager.make(build, 4096, 64)
    const { exports } = pager.kernel
    const at = exports.nextOperation() >>> 0
    for (const key of ['a', 'b', 'c']) {
      pager.bytes.set(Buffer.from(`${key}value`), (exports.nextOperation() >>> 0) + 12)
      pager.must(exports.commitPut(1, 1, 5))
    }
    pager.setCell(LSN_LOW, 0xfffffffe)
    exports.beginApplyEach(at, at + 3 * 18)
    pager.must(exports.apply())
    expect([pager.cell(LSN_LOW), pager.cell(LSN_HIGH)]).toEqual([1, 1])
  })

  test('are not joined beyond a length that bounds what a torn write can take', async () => {
    const pager = await Pager.make(build, 4096, 64)
    const { exports } = pager.kernel
    const first = pager.cell(LOG)
    for (let i = 0; i < 2000; i++) {
      pager.bytes.set(Buffer.from(String(i).padStart(4, '0').padEnd(40, '.')), (exports.nextOperation() >>> 0) + 12)
      pager.must(exports.commitPut(1, 4, 36))
    }
    exports.closeFrame()
    const end = first + pager.cell(LOG_BYTES)
    let commits = 0
    for (let at = first; at < end; ) {
      const bytes = exports.frameBytes(at, end - at)
      expect(bytes).toBeGreaterThan(0)
      expect(bytes).toBeLessThan(65_536 + 128)
      expect(pager.cell(at + 24)).toBe(1 + commits)
      commits += 1 + (pager.cell(at + 52) >>> 16)
      at += bytes
    }
    expect(commits).toBe(2000)
  })
})
