// The short form of the trial `crash`: crashes at some moments of every single operation, of some longer sequences, and
// while compaction, a checkpoint and writes go on together.
import { describe, expect, test } from 'vitest'
import { crash } from '../../fuzz/trials/crash.ts'
import { type CrashCase, sequenceOf, sequences } from '../../fuzz/trials/crash-case.ts'
import { live } from '../../fuzz/trials/crash-life.ts'
import { Survivors } from '../../fuzz/trials/crash-survivors.ts'
import { kinds } from '../../fuzz/workload/subject.ts'

const nameOf = ({ steps }: CrashCase) => steps.map(({ kind }) => kind).join(', ')

describe('a crash loses nothing acknowledged', () => {
  const short = Array.from({ length: 14 }, (_, i) => crash.caseOf(i < 11 ? i + 1 : 400 * (i - 10)))
  test.each(short.map(testCase => ({ name: nameOf(testCase), testCase })))('in: $name', async ({ testCase }) => {
    const { images = 0, recoveries = 0 } = await crash.run({ ...testCase, moments: 5 })
    expect(images).toBeGreaterThanOrEqual(recoveries > 0 ? 5 : 0)
  })

  test('while compaction, a checkpoint and writes go on together', { timeout: 60_000 }, async () => {
    const steps = [3, 4, 5].map(seed => ({ kind: 'busy' as const, seed }))
    const { recoveries } = await crash.run({ seed: 1, start: 'filled', steps, options: {}, moments: 8 })
    expect(recoveries).toBeGreaterThan(8)
  })

  test('in a tree of many levels', async () => {
    const kinds = ['batch', 'batch', 'put', 'batch', 'checkpoint', 'batch', 'clear', 'transaction', 'batch'] as const
    const steps = kinds.map((kind, seed) => ({ kind, seed }))
    const { recoveries } = await crash.run({ seed: 2, start: 'filled', steps, options: { longKeys: true }, moments: 6 })
    expect(recoveries).toBeGreaterThan(6)
  })
})

test('a loss would be seen: of a disk whose syncs do nothing', async () => {
  const testCase = crash.caseOf(24)
  const life = await live(testCase, ({ kind }) => (kind === 'sync' ? { lies: true } : undefined))
  const survivors = new Survivors(life, testCase)
  const examineAll = async () => {
    for (const moment of life.disk.moments()) await survivors.examine(moment)
  }
  await expect(examineAll()).rejects.toThrow(/crash after change \d+/)
})

describe('the cases', () => {
  test('are all sequences of up to three operations, each once', () => {
    const all = Array.from({ length: sequences }, (_, i) => sequenceOf(i).join())
    expect(new Set(all).size).toBe(11 + 121 + 1_331)
    expect(all.every(names => names.split(',').every(name => kinds.some(kind => kind === name)))).toBe(true)
    expect(new Set(all.map(names => names.split(',').length))).toEqual(new Set([1, 2, 3]))
  })

  test('come back the same from their seed', () => {
    for (const seed of [1, 700, 1_463, 1_464, 3_000]) expect(crash.caseOf(seed)).toEqual(crash.caseOf(seed))
    expect(crash.caseOf(1_500)).not.toEqual(crash.caseOf(1_500 - 1_463))
  })

  test('get smaller one by one', () => {
    const testCase = crash.caseOf(2_000)
    for (const smaller of crash.shrink(testCase)) expect(smaller).not.toEqual(testCase)
  })
})
