// G1a: a transaction reads what another one wrote that is rolled back later.
import { anomaly } from './anomaly.ts'

anomaly(
  'G1a, an aborted read,',
  { serializable: 'forbids', snapshot: 'forbids', 'read-committed': 'forbids' },
  {
    'what is rolled back was seen by nobody': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      one.put('x', 101)
      const before = two.get('x')
      one.rollback()
      const after = two.get('x')
      await commits(two)
      return before === 101 || after === 101
    },
    'nor what was taken back to a savepoint': async ({ begin, commits }) => {
      const [one, two] = [begin(), begin()]
      const start = one.savepoint()
      one.put('x', 101)
      const before = two.get('x')
      one.rollbackTo(start)
      one.put('y', 21)
      await commits(one)
      const after = two.get('x')
      await commits(two)
      return before === 101 || after === 101
    }
  }
)
