// G2-item: two transactions read the same two keys, and each changes the one that the other leaves alone.
import { expect } from 'vitest'
import { anomaly } from './anomaly.ts'

anomaly(
  'G2-item, write skew,',
  { serializable: 'forbids', snapshot: 'allows', 'read-committed': 'allows' },
  {
    'two that read both keys do not both write on that ground': async ({ db, begin, commits }) => {
      const [one, two] = [begin(), begin()]
      for (const tx of [one, two]) expect(tx.getMany(['x', 'y'])).toEqual([10, 20])
      one.put('x', 11)
      two.put('y', 21)
      const wins = [await commits(one), await commits(two)]
      return wins.every(Boolean) && db.get('x') === 11 && db.get('y') === 21
    }
  }
)
