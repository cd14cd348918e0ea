// G0: two transactions write the same two keys, and the outcome is a mixture of both.
import { expect } from 'vitest'
import { anomaly, state } from './anomaly.ts'

anomaly(
  'G0, a dirty write,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'forbids' },
  {
    'the writes of two transactions are not mixed': async ({ db, begin, commits }) => {
      const [one, two] = [begin(), begin()]
      one.put('x', 11)
      two.put('x', 12)
      one.put('y', 21)
      expect(await commits(one)).toBe(true)
      const between = state(db)
      two.put('y', 22)
      const won = await commits(two)
      const end = state(db)
      expect(end).toEqual(won ? { x: 12, y: 22 } : { x: 11, y: 21 })
      return between.x !== 11 || between.y !== 21 || (end.x === 11) !== (end.y === 21)
    }
  }
)
