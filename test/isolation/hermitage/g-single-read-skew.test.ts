// G-single: a transaction sees one key before another transaction's commit and one key after it.
import { expect } from 'vitest'
import { anomaly } from './anomaly.ts'

anomaly(
  'G-single, read skew,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'allows' },
  {
    'two keys are read of one state': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      const x = one.get('x')
      two.put('x', 12)
      two.put('y', 18)
      expect(await commits(two)).toBe(true)
      const y = one.get('y')
      await commits(one)
      return x === 10 && y === 18
    },
    'a range is read of the state that a key was read of': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      const x = one.get('x')
      two.put('x', 12)
      two.put('z', 30)
      expect(await commits(two)).toBe(true)
      const keys = one.count()
      await commits(one)
      return x === 10 && keys === 3
    },
    'what was seen before decides no write after': async ({ db, begin, commits }) => {
      const [one, two] = [begin(), begin()]
      const x = one.get('x')
      two.put('x', 12)
      two.put('y', 18)
      expect(await commits(two)).toBe(true)
      if (x === 10) one.clear({ gte: 'y' })
      const won = await commits(one)
      return won && db.get('x') === 12 && !db.has('y')
    }
  }
)
