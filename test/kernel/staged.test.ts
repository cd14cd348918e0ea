// Staged puts: applied together, they must leave exactly what the same puts leave one by one, in the trees and in the log.
import { describe, expect, test } from 'vitest'
import { AHEAD_LENGTH } from '../../assembly/ahead.ts'
import { LOG, LOG_BYTES, LSN_LOW, STAGED_BYTES } from '../../assembly/state.ts'
import { Random } from '../support/random.ts'
import { main, Pager } from './pager.ts'
import { examine } from './soundness.ts'

const headerBytes = 12

function write(pager: Pager, at: number, key: string, value: string): void {
  pager.bytes.set(Buffer.from(key + value, 'latin1'), at + headerBytes)
}

function putAlone(pager: Pager, key: string, value: string): void {
  const { exports } = pager.kernel
  write(pager, exports.nextOperation() >>> 0, key, value)
  pager.must(
    pager.settle(
      () => exports.commitPut(main.tree, key.length, value.length),
      () => exports.resumeCommit()
    )
  )
  pager.drain()
}

/** How many puts are staged afterwards; 0 when this one was not. */
function stage(pager: Pager, key: string, value: string): number {
  write(pager, (pager.kernel.exports.nextOperation() >>> 0) + pager.cell(STAGED_BYTES), key, value)
  return pager.kernel.exports.stagePut(main.tree, key.length, value.length)
}

function applyStaged(pager: Pager): void {
  const { exports } = pager.kernel
  if (pager.cell(STAGED_BYTES) === 0) return
  exports.beginStaged()
  pager.must(pager.settle(() => exports.commitStaged()))
  pager.drain()
}

function putTogether(pager: Pager, key: string, value: string): void {
  const staged = stage(pager, key, value)
  if (staged === AHEAD_LENGTH) applyStaged(pager)
  if (staged > 0) return
  applyStaged(pager)
  putAlone(pager, key, value)
}

function logOf(pager: Pager): string {
  const at = pager.cell(LOG)
  return Buffer.from(pager.bytes.subarray(at, at + pager.cell(LOG_BYTES))).toString('hex')
}

describe.each(['wasm', 'javascript'] as const)('staged puts in the %s build', build => {
  test.each([
    ['with all pages in memory', 1024, false],
    ['with pages that leave memory in between', 1024, true],
    ['with few frames', 64, false]
  ])('leave what the same puts leave one by one, %s', async (_, frames, evicts) => {
    const random = new Random(frames + (evicts ? 1 : 0))
    const alone = await Pager.make(build, 4096, 1024)
    const together = await Pager.make(build, 4096, frames)
    const model = new Map<string, string>()
    let most = 0
    for (let round = 0; round < 150; round++) {
      for (let i = random.below(60); i > 0; i--) {
        const key = `key ${String(random.below(3_000)).padStart(random.pick([1, 6, 6, 30]), '0')}`
        const value = String.fromCharCode(97 + random.below(26)).repeat(random.pick([0, 10, 90, 90, 600]))
        putAlone(alone, key, value)
        putTogether(together, key, value)
        model.set(key, value)
        most = Math.max(most, together.cell(STAGED_BYTES))
        // The same one again, and its neighbour, in the same window.
        if (!random.chance(0.1)) continue
        for (const [again, other] of [[`${key}!`, key] as const, [key, 'again'] as const]) {
          putAlone(alone, again, other)
          putTogether(together, again, other)
          model.set(again, other)
        }
      }
      if (evicts && random.chance(0.3)) together.evictAll()
      applyStaged(together)
      expect(logOf(together)).toBe(logOf(alone))
      for (const pager of [alone, together]) {
        if (random.chance(0.5)) pager.kernel.exports.closeFrame()
        else continue
        if (pager === alone) together.kernel.exports.closeFrame()
        else alone.kernel.exports.closeFrame()
      }
      if (alone.cell(LOG_BYTES) > 500_000) for (const pager of [alone, together]) pager.kernel.exports.clearLog()
    }
    expect(together.cell(LSN_LOW)).toBe(alone.cell(LSN_LOW))
    expect(most).toBeGreaterThan(0)
    for (const [key, value] of model) expect(together.get(main, key)).toBe(value)
    expect(examine(together).entries).toBe(model.size)
  })

  test('change nothing before they are applied, and nothing when they are forgotten', async () => {
    const pager = await Pager.make(build, 4096, 1024)
    for (let i = 0; i < 200; i++) putAlone(pager, `key ${i}`, 'before'.repeat(10))
    const before = logOf(pager)
    expect(stage(pager, 'key 5', 'never')).toBe(1)
    expect(stage(pager, 'key 6', 'never')).toBe(2)
    expect([pager.get(main, 'key 5'), logOf(pager)]).toEqual(['before'.repeat(10), before])
    pager.kernel.exports.forgetStaged()
    expect(stage(pager, 'key 7', 'after')).toBe(1)
    applyStaged(pager)
    expect(['key 5', 'key 6', 'key 7'].map(key => pager.get(main, key)?.slice(0, 6))).toEqual([
      'before',
      'before',
      'after'
    ])
  })

  test('are refused where the leaf is not in memory', async () => {
    const pager = await Pager.make(build, 4096, 1024)
    for (let i = 0; i < 1_000; i++) putAlone(pager, `key ${i}`, 'value'.repeat(10))
    pager.evictAll()
    expect(stage(pager, 'key 500', 'no')).toBe(0)
    expect(pager.cell(STAGED_BYTES)).toBe(0)
    pager.get(main, 'key 500')
    expect(stage(pager, 'key 500', 'yes')).toBe(1)
    expect(stage(pager, 'key 900', 'no')).toBe(0)
    applyStaged(pager)
    expect(pager.get(main, 'key 500')).toBe('yes')
    expect(pager.get(main, 'key 900')).toBe('value'.repeat(10))
  })
})
