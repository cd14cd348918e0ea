// Random transactions at the same time on a disk that crashes at random calls, again and again, recovery included. What
// was acknowledged survives whole; what had no answer yet survives whole or vanishes whole; and all that is left, over
// all crashes, is one history that the level allows.
//
// The long form runs ISOLATION_CRASHES crashes from ISOLATION_SEED on.
import { describe, expect, it } from 'vitest'
import { violationsOf } from '../support/history/check.ts'
import { type CrashRun, historyOverCrashes } from './crashing.ts'

const crashesPerRun = 12
const crashes = Number(process.env.ISOLATION_CRASHES ?? 108)
const firstSeed = Number(process.env.ISOLATION_SEED ?? 1)
const levels = ['serializable', 'snapshot', 'read-committed'] as const

const runs = Array.from({ length: Math.ceil(crashes / crashesPerRun) }, (_, i): CrashRun => {
  const seed = firstSeed + i
  const isolation = levels[seed % levels.length] ?? 'serializable'
  return { seed, crashes: crashesPerRun, isolation, durability: seed % 4 === 0 ? 'relaxed' : 'strict' }
})

describe('transactions on a disk that crashes', () => {
  it.each(runs)(
    'survive whole or vanish whole: seed $seed, $isolation, $durability',
    { timeout: 60_000 },
    async run => {
      const history = await historyOverCrashes(run)
      expect(violationsOf(history, run.isolation)).toEqual([])
      expect(history.transactions.filter(({ outcome }) => outcome === 'committed').length).toBeGreaterThan(50)
    }
  )
})
