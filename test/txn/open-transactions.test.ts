import { expect, it } from 'vitest'
import { type Listed, OpenTransactions } from '../../src/txn/open-transactions.ts'
import { Random } from '../support/random.ts'

it('the list of open transactions knows those that are unpinned, as two sets would', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    const list = new OpenTransactions<Listed>()
    const all = new Set<Listed>()
    const unpinned = new Set<Listed>()
    const ended: Listed[] = []
    for (let step = 0; step < 500; step++) {
      const some = [...all][random.below(all.size)]
      const kind = random.below(10)
      if (some === undefined || kind < 3) {
        const made = { place: 0 }
        list.add(made)
        all.add(made)
      } else if (kind < 5) {
        list.remove(some)
        all.delete(some)
        unpinned.delete(some)
        ended.push(some)
      } else if (kind < 7) {
        list.setUnpinned(some)
        unpinned.add(some)
      } else if (kind < 9) {
        list.setPinned(some)
        unpinned.delete(some)
      } else {
        expect(new Set(list.takeUnpinned()), `seed ${seed}`).toEqual(unpinned)
        unpinned.clear()
      }
      // Those that have ended are not in it any more, whatever is asked about them.
      const past = ended.at(-1)
      if (past !== undefined) for (const ask of [list.setUnpinned, list.setPinned, list.remove]) ask.call(list, past)
      expect([list.size, list.hasUnpinned], `seed ${seed}`).toEqual([all.size, unpinned.size > 0])
      expect(new Set(list.all), `seed ${seed}`).toEqual(all)
    }
  }
})
