// G1b: a transaction reads what another one wrote only on its way to its last value.
import { anomaly } from './anomaly.ts'

anomaly(
  'G1b, an intermediate read,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'forbids' },
  {
    'only the last value of a transaction is seen': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      one.put('x', 101)
      const before = two.get('x')
      one.put('x', 11)
      await commits(one)
      const after = two.get('x')
      await commits(two)
      return before === 101 || after === 101
    }
  }
)
