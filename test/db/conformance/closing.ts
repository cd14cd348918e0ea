import { describe, expect, it } from 'vitest'
import { rejection, type Target } from '../../support/database.ts'
import { all, openAt, openNew, refusal } from '../../support/either.ts'

/** What holds after `close`. */
export function closing(target: Target): void {
  describe('close', () => {
    it('may be called again, at once and later', async () => {
      const db = await openNew(target)
      void db.put('a', 1)
      expect(await Promise.all([db.close(), db.close()])).toEqual([undefined, undefined])
      expect(await db.close()).toBeUndefined()
      await db[Symbol.asyncDispose]()
    })

    it('makes every call on every handle LIGHTNING_CLOSED', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const sub = db.sublevel('sub')
      await sub.put('a', 1)
      const snapshot = await db.snapshot()
      const reads = [db.keys(), db.keys(), snapshot.keys(), db.keys({ limit: 0 })]
      await reads[0]?.next()
      await db.close()
      for (const keyspace of [db, sub]) {
        await refusal('LIGHTNING_CLOSED', () => keyspace.get('a'))
        await refusal('LIGHTNING_CLOSED', () => keyspace.getMany(['a']))
        await refusal('LIGHTNING_CLOSED', () => keyspace.getMany([]))
        await refusal('LIGHTNING_CLOSED', () => keyspace.has('a'))
        await refusal('LIGHTNING_CLOSED', () => keyspace.read('a', () => 1))
        await refusal('LIGHTNING_CLOSED', () => keyspace.count())
        await refusal('LIGHTNING_CLOSED', () => keyspace.count({ limit: 0 }))
        await refusal('LIGHTNING_CLOSED', () => all(keyspace.entries()))
        if (target.isRemote !== true) await refusal('LIGHTNING_CLOSED', () => keyspace.putSync('a', 1))
        await refusal('LIGHTNING_CLOSED', () => keyspace.sublevels())
        await rejection('LIGHTNING_CLOSED', keyspace.put('a', 1))
        await rejection('LIGHTNING_CLOSED', keyspace.del('a'))
        await rejection('LIGHTNING_CLOSED', keyspace.clear())
        await rejection('LIGHTNING_CLOSED', keyspace.batch([{ type: 'del', key: 'a' }]))
        await rejection('LIGHTNING_CLOSED', keyspace.batch([]))
        await rejection('LIGHTNING_CLOSED', keyspace.dropSublevel('a'))
      }
      await refusal('LIGHTNING_CLOSED', () => db.snapshot())
      await refusal('LIGHTNING_CLOSED', () => db.sequence())
      await refusal('LIGHTNING_CLOSED', () => db.stats())
      await refusal('LIGHTNING_CLOSED', () => db.on('checkpoint', () => undefined))
      if (target.isRemote !== true) await refusal('LIGHTNING_CLOSED', () => db.flushSync())
      await refusal('LIGHTNING_CLOSED', () => snapshot.get('a'))
      for (const iterator of reads) await refusal('LIGHTNING_CLOSED', () => iterator.next())
      await rejection('LIGHTNING_CLOSED', db.flush())
      await rejection('LIGHTNING_CLOSED', db.checkpoint())
      await rejection('LIGHTNING_CLOSED', db.verify())
      await rejection('LIGHTNING_CLOSED', db.compact())
      await snapshot.close()
    })

    it('ends iterators in the middle of what they have loaded', async () => {
      const db = await openNew(target)
      await db.batch(['a', 'b', 'c'].map(key => ({ type: 'put', key, value: 1 })))
      const iterator = db.keys()
      expect((await iterator.next()).value).toBe('a')
      await db.close()
      await refusal('LIGHTNING_CLOSED', () => iterator.next())
    })

    it('tells listeners first', async () => {
      const db = await openNew(target)
      const told: unknown[] = []
      db.on('closing', () => told.push(db.get('a')))
      await db.put('a', 1)
      await db.close()
      await db.close()
      expect(await Promise.all(told)).toEqual([1])
    })

    it('may be called by the listeners that it tells', async () => {
      const location = await target.newLocation()
      const db = await openAt(target, location)
      await db.put('a', 1)
      const told: unknown[] = []
      for (let i = 0; i < 2; i++) {
        db.on('closing', () => {
          told.push(db.get('a'), db.close())
        })
      }
      await db.close()
      expect(await Promise.all(told)).toEqual([1, undefined, 1, undefined])
      await refusal('LIGHTNING_CLOSED', () => db.get('a'))
      if (!target.keeps) return
      const again = await openAt(target, location)
      expect(await again.get('a')).toBe(1)
    })

    it('ends what is under way by LIGHTNING_CLOSED, or after it', async () => {
      const ends = await Promise.all(
        (['checkpoint', 'verify', 'compact'] as const).map(async name => {
          const db = await openNew(target)
          for (let i = 0; i < 20_000; i++) void db.put(`k${i}`, i)
          const end = Promise.resolve(db[name]()).then(
            () => undefined,
            error => error.code
          )
          await db.close()
          return await end
        })
      )
      for (const end of ends) expect(end ?? 'LIGHTNING_CLOSED').toBe('LIGHTNING_CLOSED')
    })

    it.skipIf(!target.keeps)('waits for writes that nobody has waited for', async () => {
      const location = await target.newLocation()
      const db = await openAt(target, location, { durability: 'relaxed' })
      const writing = db.put('a', 1)
      await db.close()
      await writing
      const again = await openAt(target, location)
      expect(await again.get('a')).toBe(1)
    })
  })
}
