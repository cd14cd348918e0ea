// OTV: a transaction sees one write of another, and afterwards not the second one.
import { expect } from 'vitest'
import { anomaly } from './anomaly.ts'

anomaly(
  'OTV, an observed transaction that vanishes,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'forbids' },
  {
    'who has seen a transaction goes on seeing it': async ({ begin, commits }) => {
      const [one, two, reader] = [begin(), begin(), begin()]
      one.put('x', 11)
      one.put('y', 19)
      two.put('x', 12)
      expect(await commits(one)).toBe(true)
      const firstX = reader.get('x')
      two.put('y', 18)
      const firstY = reader.get('y')
      const won = await commits(two)
      const secondY = reader.get('y')
      const secondX = reader.get('x')
      await commits(reader)
      if (reader.isolation === 'read-committed') {
        expect([firstX, firstY, secondX, secondY]).toEqual([11, 19, 12, 18])
      }
      const lostOne = firstX === 11 && firstY !== 19
      const lostTwo = won && secondY === 18 && secondX !== 12
      const lostBoth = secondY === 19 && secondX === 10
      return lostOne || lostTwo || lostBoth
    }
  }
)
