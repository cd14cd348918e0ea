// P4: two transactions read a value and write one made of it; the first of the two writes is lost.
import { expect } from 'vitest'
import { anomaly } from './anomaly.ts'

anomaly(
  'P4, a lost update,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'allows' },
  {
    'two increments count twice, or one of them fails': async ({ db, begin, commits }) => {
      const [one, two] = [begin(), begin()]
      const [seenByOne, seenByTwo] = [Number(one.get('x')), Number(two.get('x'))]
      one.put('x', seenByOne + 1)
      two.put('x', seenByTwo + 1)
      expect(await commits(one)).toBe(true)
      const won = await commits(two)
      return db.get('x') !== (won ? 12 : 11)
    }
  }
)
