import { describe, expect, it } from 'vitest'
import { expectCode } from '../../encoding/support.ts'
import { openNew, rejection, type Target } from '../../support/database.ts'
import { nextTurn } from '../../support/next-turn.ts'

/** Locks of keys. */
export function locks(target: Target): void {
  describe('getForUpdate', () => {
    it('gives the value, and holds others off until the end', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const [one, two] = [db.begin(), db.begin()]
      expect(await one.getForUpdate('a')).toBe(1)
      expect(await one.getForUpdate('a')).toBe(1)
      let value: unknown
      const waiting = two.getForUpdate('a').then(found => {
        value = found
      })
      one.put('a', 2)
      await nextTurn()
      expect(value).toBeUndefined()
      await one.commit()
      await waiting
      // It was the first read, so the snapshot is of the moment of the grant.
      expect(value).toBe(2)
      two.put('a', 3)
      await two.commit()
      expect(db.get('a')).toBe(3)
    })

    it('grants in the order of the requests', async () => {
      const db = await openNew(target)
      const order: number[] = []
      const body = (n: number) =>
        db.transaction(async tx => {
          const list = (await tx.getForUpdate('list')) ?? []
          order.push(n)
          await nextTurn()
          tx.put('list', [...(Array.isArray(list) ? list : []), n])
        })
      await Promise.all(Array.from({ length: 20 }, (_, n) => body(n)))
      expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
      expect(db.get('list')).toEqual(order)
    })

    it('is a conflict when the key is newer than the snapshot', async () => {
      const db = await openNew(target)
      const tx = db.begin()
      tx.get('b')
      await db.put('a', 1)
      await rejection('LIGHTNING_CONFLICT', tx.getForUpdate('a'))
      expectCode('LIGHTNING_CLOSED', () => tx.get('a'))
    })

    it('gives the newest value at read-committed', async () => {
      const db = await openNew(target)
      const tx = db.begin({ isolation: 'read-committed' })
      tx.get('a')
      await db.put('a', 1)
      expect(await tx.getForUpdate('a')).toBe(1)
      tx.put('a', 2)
      expect(await tx.getForUpdate('a')).toBe(2)
      await tx.commit()
    })

    it('does not keep plain writes off, which make the transaction conflict at every level', async () => {
      const db = await openNew(target)
      for (const isolation of ['serializable', 'snapshot', 'read-committed'] as const) {
        const tx = db.begin({ isolation })
        await tx.getForUpdate('a')
        await db.put('a', 1)
        await rejection('LIGHTNING_CONFLICT', tx.commit())
      }
    })

    it('waits no longer than it may', async () => {
      const db = await openNew(target, { lockTimeoutMs: 1 })
      const holder = db.begin()
      await holder.getForUpdate('a')
      const tx = db.begin()
      await rejection('LIGHTNING_TIMEOUT', tx.getForUpdate('a'))
      await rejection('LIGHTNING_TIMEOUT', tx.getForUpdate('a', { lockTimeoutMs: 0 }))
      const hasty = db.begin({ lockTimeoutMs: 0 })
      await rejection('LIGHTNING_TIMEOUT', hasty.getForUpdate('a'))
      // Still open, without that lock.
      tx.put('b', 1)
      holder.rollback()
      expect(await hasty.getForUpdate('a')).toBeUndefined()
      await tx.commit()
    })

    it('is ended by its signal, which leaves the transaction open', async () => {
      const db = await openNew(target)
      const holder = db.begin()
      await holder.getForUpdate('a')
      const tx = db.begin()
      const controller = new AbortController()
      const reason = new Error('enough')
      const waiting = rejection('LIGHTNING_ABORTED', tx.getForUpdate('a', { signal: controller.signal }))
      controller.abort(reason)
      expect((await waiting).cause).toBe(reason)
      await rejection('LIGHTNING_ABORTED', tx.getForUpdate('b', { signal: controller.signal }))
      const third = db.begin()
      holder.rollback()
      expect(await third.getForUpdate('a', { lockTimeoutMs: 0 })).toBeUndefined()
      tx.put('b', 1)
      await tx.commit()
    })

    it('ends with its transaction', async () => {
      const db = await openNew(target)
      const holder = db.begin()
      await holder.getForUpdate('a')
      const tx = db.begin()
      const waiting = rejection('LIGHTNING_CLOSED', tx.getForUpdate('a'))
      tx.rollback()
      await waiting
    })

    it('locks the keys of each sublevel apart', async () => {
      const db = await openNew(target)
      const sub = db.sublevel('sub')
      const [one, two] = [db.begin(), db.begin({ lockTimeoutMs: 0 })]
      await one.getForUpdate('a')
      await two.sublevel(sub).getForUpdate('a')
      await rejection('LIGHTNING_TIMEOUT', one.sublevel(sub).getForUpdate('a', { lockTimeoutMs: 0 }))
    })
  })

  describe('a commit', () => {
    it('waits for the locks of others on the keys it writes', async () => {
      const db = await openNew(target)
      const holder = db.begin()
      await holder.getForUpdate('a')
      const tx = db.begin({ isolation: 'read-committed' })
      tx.put('a', 2)
      let isDone = false
      const committing = tx.commit().then(() => {
        isDone = true
      })
      await nextTurn()
      expect(isDone).toBe(false)
      expectCode('LIGHTNING_CLOSED', () => tx.get('a'))
      holder.put('a', 1)
      await holder.commit()
      await committing
      expect(db.get('a')).toBe(2)
    })

    it('waits for locks in a range that it clears', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const holder = db.begin()
      await holder.getForUpdate('a')
      const tx = db.begin()
      tx.clear()
      const committing = tx.commit()
      await nextTurn()
      expect(db.has('a')).toBe(true)
      holder.rollback()
      await committing
      expect(db.has('a')).toBe(false)
    })

    it('that cannot wait is a conflict', async () => {
      const db = await openNew(target)
      const holder = db.begin()
      await holder.getForUpdate('a')
      const tx = db.begin()
      tx.put('a', 1)
      expectCode('LIGHTNING_CONFLICT', () => tx.commitSync())
      expectCode('LIGHTNING_CONFLICT', () => db.transactionSync(each => each.put('a', 1)))
      expect(db.has('a')).toBe(false)
    })

    it('waits no longer than it may, and has rolled back then', async () => {
      const db = await openNew(target)
      const holder = db.begin()
      await holder.getForUpdate('a')
      const tx = db.begin({ lockTimeoutMs: 1 })
      tx.put('a', 1)
      await rejection('LIGHTNING_TIMEOUT', tx.commit())
      expectCode('LIGHTNING_CLOSED', () => tx.get('a'))
    })
  })

  describe('a deadlock', () => {
    it.each([2, 3, 10])('of %i is found at once, and the youngest is rolled back', async parties => {
      const db = await openNew(target, { lockTimeoutMs: Number.POSITIVE_INFINITY })
      const all = Array.from({ length: parties }, () => db.begin())
      for (const [i, tx] of all.entries()) await tx.getForUpdate(`k${i}`)
      const waits = all.map((tx, i) => tx.getForUpdate(`k${(i + 1) % parties}`))
      const youngest = all.at(-1)
      const error = await rejection('LIGHTNING_DEADLOCK', waits.at(-1))
      for (const { id } of all) expect(error.message).toContain(`ransaction ${id}`)
      for (let i = 0; i < parties; i++) expect(error.message).toContain(`"k${i}"`)
      expect(youngest?.isOpen).toBe(false)
      for (let i = parties - 2; i >= 0; i--) {
        await waits[i]
        await all[i]?.commit()
      }
    })

    it('through a commit that waits is found too', async () => {
      const db = await openNew(target)
      const [one, two] = [db.begin({ isolation: 'read-committed' }), db.begin({ isolation: 'read-committed' })]
      await one.getForUpdate('a')
      await two.getForUpdate('b')
      one.put('b', 1)
      const committing = one.commit()
      await rejection('LIGHTNING_DEADLOCK', two.getForUpdate('a'))
      await committing
      expect(db.get('b')).toBe(1)
    })

    it('does not arise from asking for the same key twice at once', async () => {
      const db = await openNew(target)
      const [one, two] = [db.begin(), db.begin()]
      await one.getForUpdate('a')
      const both = Promise.all([two.getForUpdate('a'), two.getForUpdate('a')])
      one.put('a', 1)
      await one.commit()
      expect(await both).toEqual([1, 1])
    })
  })
}
