// G1c: each of two transactions reads what the other one wrote.
import { anomaly } from './anomaly.ts'

anomaly(
  'G1c, a circle of information,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'forbids' },
  {
    'two transactions do not see each other': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      one.put('x', 11)
      two.put('y', 22)
      const y = one.get('y')
      const x = two.get('x')
      const wins = [await commits(one), await commits(two)]
      return wins.every(Boolean) && y === 22 && x === 11
    },
    'not even when one has committed before the other reads': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      one.put('x', 11)
      two.put('y', 22)
      const y = one.get('y')
      const first = await commits(one)
      const x = two.get('x')
      const second = await commits(two)
      return first && second && y === 22 && x === 11
    }
  }
)
