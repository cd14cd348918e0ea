// G2: write skew by a predicate: each of two transactions finds nothing in a range, and puts something there. The second
// scene is Fekete's: a transaction that only reads makes the order of two others impossible.
import { expect } from 'vitest'
import { anomaly } from './anomaly.ts'

anomaly(
  'G2, a cycle of anti-dependencies,',
  { serializable: 'forbids', snapshot: 'allows', 'read-committed': 'allows' },
  {
    'two that found nothing do not both put something there': async ({ db, begin, commits }) => {
      const [one, two] = [begin(), begin()]
      for (const tx of [one, two]) expect(tx.count({ gt: 'y' })).toBe(0)
      one.put('z1', 30)
      two.put('z2', 42)
      const wins = [await commits(one), await commits(two)]
      return wins.every(Boolean) && db.count({ gt: 'y' }) === 2
    },
    'a report fits all that is committed after it': async ({ db, begin, commits }) => {
      const withdrawal = begin()
      const balance = Number(withdrawal.get('x')) + Number(withdrawal.get('y'))
      const deposit = begin()
      deposit.put('y', Number(deposit.get('y')) + 20)
      expect(await commits(deposit)).toBe(true)
      const report = begin()
      const reported = report.getMany(['x', 'y'])
      expect(await commits(report)).toBe(true)
      // The fee is for those who withdraw more than they have: 35 of 30, but not after the deposit, which the report knows.
      withdrawal.put('x', Number(withdrawal.get('x')) - 35 - (balance < 35 ? 1 : 0))
      const won = await commits(withdrawal)
      expect(reported).toEqual([10, 40])
      return won && db.get('x') === -26 && db.get('y') === 40
    }
  }
)
