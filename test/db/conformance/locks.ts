import { describe, expect, it } from 'vitest'
import { rejection, type Target } from '../../support/database.ts'
import { openNew, refusal, within } from '../../support/either.ts'
import { nextTurn } from '../../support/next-turn.ts'

/**
 * Locks of keys. Every test ends its transactions by itself, those it does not need any more too: the garbage collector
 * may roll back one that is not used later, which frees its locks.
 */
export function locks(target: Target): void {
  describe('getForUpdate', () => {
    it('gives the value, and holds others off until the end', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const [one, two] = [await db.begin(), await db.begin()]
      expect(await one.getForUpdate('a')).toBe(1)
      expect(await one.getForUpdate('a')).toBe(1)
      let value: unknown
      const waiting = two.getForUpdate('a').then(found => {
        value = found
      })
      await one.put('a', 2)
      await nextTurn()
      expect(value).toBeUndefined()
      await one.commit()
      await waiting
      // It was the first read, so the snapshot is of the moment of the grant.
      expect(value).toBe(2)
      await two.put('a', 3)
      await two.commit()
      expect(await db.get('a')).toBe(3)
    })

    it('grants in the order of the requests', async () => {
      const db = await openNew(target)
      const order: number[] = []
      const body = (n: number) =>
        db.transaction(async tx => {
          const list = (await tx.getForUpdate('list')) ?? []
          order.push(n)
          await nextTurn()
          await tx.put('list', [...(Array.isArray(list) ? list : []), n])
        })
      await Promise.all(Array.from({ length: 20 }, (_, n) => body(n)))
      expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
      expect(await db.get('list')).toEqual(order)
    })

    it('is a conflict when the key is newer than the snapshot', async () => {
      const db = await openNew(target)
      const tx = await db.begin()
      await tx.get('b')
      await db.put('a', 1)
      await rejection('LIGHTNING_CONFLICT', tx.getForUpdate('a'))
      await refusal('LIGHTNING_CLOSED', () => tx.get('a'))
    })

    it('gives the newest value at read-committed', async () => {
      const db = await openNew(target)
      const tx = await db.begin({ isolation: 'read-committed' })
      await tx.get('a')
      await db.put('a', 1)
      expect(await tx.getForUpdate('a')).toBe(1)
      await tx.put('a', 2)
      expect(await tx.getForUpdate('a')).toBe(2)
      await tx.commit()
    })

    it('does not keep plain writes off, which make the transaction conflict at every level', async () => {
      const db = await openNew(target)
      for (const isolation of ['serializable', 'snapshot', 'read-committed'] as const) {
        const tx = await db.begin({ isolation })
        await tx.getForUpdate('a')
        await db.put('a', 1)
        await rejection('LIGHTNING_CONFLICT', tx.commit())
      }
    })

    it('waits no longer than it may', async () => {
      const db = await openNew(target, { lockTimeoutMs: 1 })
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin()
      await rejection('LIGHTNING_TIMEOUT', tx.getForUpdate('a'))
      await rejection('LIGHTNING_TIMEOUT', tx.getForUpdate('a', { lockTimeoutMs: 0 }))
      const hasty = await db.begin({ lockTimeoutMs: 0 })
      await rejection('LIGHTNING_TIMEOUT', hasty.getForUpdate('a'))
      // Still open, without that lock.
      await tx.put('b', 1)
      await holder.rollback()
      expect(await hasty.getForUpdate('a')).toBeUndefined()
      await tx.commit()
    })

    it('is ended by its signal, which leaves the transaction open', async () => {
      const db = await openNew(target)
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin()
      const controller = new AbortController()
      const reason = new Error('enough')
      const waiting = rejection('LIGHTNING_ABORTED', tx.getForUpdate('a', { signal: controller.signal }))
      controller.abort(reason)
      expect((await waiting).cause).toBe(reason)
      await rejection('LIGHTNING_ABORTED', tx.getForUpdate('b', { signal: controller.signal }))
      const third = await db.begin()
      await holder.rollback()
      expect(await third.getForUpdate('a', { lockTimeoutMs: 0 })).toBeUndefined()
      await tx.put('b', 1)
      await tx.commit()
    })

    it('ends with its transaction', async () => {
      const db = await openNew(target)
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin()
      const waiting = rejection('LIGHTNING_CLOSED', tx.getForUpdate('a'))
      await tx.rollback()
      await waiting
      await holder.rollback()
    })

    it('locks the keys of each sublevel apart', async () => {
      const db = await openNew(target)
      const sub = db.sublevel('sub')
      const [one, two] = [await db.begin(), await db.begin({ lockTimeoutMs: 0 })]
      await one.getForUpdate('a')
      await within(two, sub).getForUpdate('a')
      await rejection('LIGHTNING_TIMEOUT', within(one, sub).getForUpdate('a', { lockTimeoutMs: 0 }))
      await two.rollback()
    })
  })

  describe('a commit', () => {
    it('waits for the locks of others on the keys it writes', async () => {
      const db = await openNew(target)
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin({ isolation: 'read-committed' })
      await tx.put('a', 2)
      let isDone = false
      const committing = tx.commit().then(() => {
        isDone = true
      })
      await nextTurn()
      expect(isDone).toBe(false)
      await refusal('LIGHTNING_CLOSED', () => tx.get('a'))
      await holder.put('a', 1)
      await holder.commit()
      await committing
      expect(await db.get('a')).toBe(2)
    })

    it('waits for locks in a range that it clears', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin()
      await tx.clear()
      const committing = tx.commit()
      await nextTurn()
      expect(await db.has('a')).toBe(true)
      await holder.rollback()
      await committing
      expect(await db.has('a')).toBe(false)
    })

    it.runIf(target.isRemote !== true)('that cannot wait is a conflict', async () => {
      const db = await openNew(target)
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin()
      await tx.put('a', 1)
      await refusal('LIGHTNING_CONFLICT', () => tx.commitSync())
      await refusal('LIGHTNING_CONFLICT', () => db.transactionSync(each => each.put('a', 1)))
      expect(await db.has('a')).toBe(false)
      await holder.rollback()
    })

    it('that waits is ended by a rollback', async () => {
      const db = await openNew(target)
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin({ lockTimeoutMs: Number.POSITIVE_INFINITY })
      await tx.put('a', 1)
      const committing = rejection('LIGHTNING_CLOSED', tx.commit())
      await nextTurn()
      await tx.rollback()
      await committing
      await holder.rollback()
      expect(await db.has('a')).toBe(false)
    })

    it('waits no longer than it may, and has rolled back then', async () => {
      const db = await openNew(target)
      const holder = await db.begin()
      await holder.getForUpdate('a')
      const tx = await db.begin({ lockTimeoutMs: 1 })
      await tx.put('a', 1)
      await rejection('LIGHTNING_TIMEOUT', tx.commit())
      await refusal('LIGHTNING_CLOSED', () => tx.get('a'))
      await holder.rollback()
    })
  })

  describe('a deadlock', () => {
    it.each([2, 3, 10])('of %i is found at once, and the youngest is rolled back', async parties => {
      const db = await openNew(target, { lockTimeoutMs: Number.POSITIVE_INFINITY })
      const parts = await Promise.all(Array.from({ length: parties }, async () => await db.begin()))
      for (const [i, tx] of parts.entries()) await tx.getForUpdate(`k${i}`)
      const waits = parts.map((tx, i) => tx.getForUpdate(`k${(i + 1) % parties}`))
      const youngest = parts.at(-1)
      const error = await rejection('LIGHTNING_DEADLOCK', waits.at(-1))
      for (const { id } of parts) expect(error.message).toContain(`ransaction ${id}`)
      for (let i = 0; i < parties; i++) expect(error.message).toContain(`"k${i}"`)
      expect(youngest?.isOpen).toBe(false)
      for (let i = parties - 2; i >= 0; i--) {
        await waits[i]
        await parts[i]?.commit()
      }
    })

    it('through a commit that waits is found too', async () => {
      const db = await openNew(target)
      const [one, two] = [
        await db.begin({ isolation: 'read-committed' }),
        await db.begin({ isolation: 'read-committed' })
      ]
      await one.getForUpdate('a')
      await two.getForUpdate('b')
      await one.put('b', 1)
      const committing = one.commit()
      await rejection('LIGHTNING_DEADLOCK', two.getForUpdate('a'))
      await committing
      expect(await db.get('b')).toBe(1)
    })

    it('does not arise from asking for the same key twice at once', async () => {
      const db = await openNew(target)
      const [one, two] = [await db.begin(), await db.begin()]
      await one.getForUpdate('a')
      const both = Promise.all([two.getForUpdate('a'), two.getForUpdate('a')])
      await one.put('a', 1)
      await one.commit()
      expect(await both).toEqual([1, 1])
    })

    it('does not arise from asking again while another waits in between', async () => {
      const db = await openNew(target)
      const [one, two, three] = [await db.begin(), await db.begin(), await db.begin()]
      await one.getForUpdate('a')
      const asked = [two.getForUpdate('a'), three.getForUpdate('a'), two.getForUpdate('a')]
      await one.put('a', 1)
      await one.commit()
      expect([await asked[0], await asked[2]]).toEqual([1, 1])
      await two.put('a', 2)
      await two.commit()
      expect(await asked[1]).toBe(2)
      await three.rollback()
    })
  })
}
