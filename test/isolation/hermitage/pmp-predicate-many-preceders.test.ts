// PMP: a transaction asks the same question of a range twice, and another one commits in between.
import { expect } from 'vitest'
import type { Transaction } from '../../../src/index.ts'
import { anomaly } from './anomaly.ts'

const keysWith = (tx: Transaction<string, unknown>, value: number) =>
  [...tx.entries()].filter(([, found]) => found === value).map(([key]) => key)

anomaly(
  'PMP, a predicate with many preceders,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'allows' },
  {
    'a range gives the same keys again': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      const before = keysWith(one, 30)
      two.put('z', 30)
      expect(await commits(two)).toBe(true)
      const after = keysWith(one, 30)
      await commits(one)
      return before.length !== after.length
    },
    'what was chosen by its value is deleted only while it has this value': async ({ db, begin, commits }) => {
      const [one, two] = [begin(), begin()]
      for (const [key, value] of one.entries()) one.put(key, Number(value) + 10)
      for (const key of keysWith(two, 20)) two.del(key)
      expect(await commits(one)).toBe(true)
      const won = await commits(two)
      // `y` was 20 and is 30 since the first commit; it is `x` that is 20 now.
      return won && !db.has('y')
    }
  }
)
