// Who waits for a lock waits for everybody before it in the queue, not only for the holder.
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { nextTurn } from '../support/next-turn.ts'

test('a deadlock through a place in the queue is found while the holder of the lock goes on', async () => {
  const db = await open(':memory:')
  const [holder, first, second] = [db.begin(), db.begin(), db.begin()]
  await holder.getForUpdate('a')
  await second.getForUpdate('c')
  // First waits for both: in front of second for a, and for second's lock of c.
  const waits = [first.getForUpdate('a'), first.getForUpdate('c')]
  for (const wait of waits) wait.catch(() => undefined)
  await nextTurn()
  let refusal: unknown
  second.getForUpdate('a').catch((error: unknown) => {
    refusal = error
  })
  await nextTurn()
  await nextTurn()
  // The youngest goes, although it is not the holder of a that it is in a circle with.
  expect(refusal).toMatchObject({ code: 'LIGHTNING_DEADLOCK' })
  holder.rollback()
  await Promise.all(waits)
  await first.commit()
  await db.close()
})
