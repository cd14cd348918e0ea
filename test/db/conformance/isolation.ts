import { describe, expect, it } from 'vitest'
import type { Isolation } from '../../../src/index.ts'
import { rejection, type Target } from '../../support/database.ts'
import { all, type AnyTransaction, openNew, within } from '../../support/either.ts'

type Read = readonly [what: string, read: (tx: AnyTransaction<string, unknown>) => unknown]

/** Reads whose outcome the write of the key `m`, not there before, changes. */
const changed: readonly Read[] = [
  ['a missing key', tx => tx.get('m')],
  ['a missing key among many', tx => tx.getMany(['a', 'm'])],
  ['that a key is missing', tx => tx.has('m')],
  ['a number', tx => tx.count()],
  ['a number in a range', tx => tx.count({ gt: 'a', lt: 'z' })],
  ['a number with a limit above it', tx => tx.count({ limit: 9 })],
  ['a whole range', tx => all(tx.keys())],
  ['a range backwards', tx => all(tx.entries({ gte: 'c', reverse: true }))],
  ['a range beyond its last key', tx => all(tx.values({ gt: 'c', lt: 'n' }))],
  ['an empty range', tx => all(tx.values({ gt: 'l', lt: 'n' }))],
  ['the first key of a range', tx => tx.keys({ gt: 'c' }).next()],
  ['a limited range', tx => all(tx.keys({ limit: 3 }))],
  ['a prefix', tx => all(tx.keys({ prefix: 'm' }))]
]

/** Reads that have nothing to do with it. */
const unchanged: readonly Read[] = [
  ['another key', tx => tx.get('a')],
  ['a range that ends before', tx => all(tx.keys({ lte: 'c' }))],
  ['a range up to its limit', tx => all(tx.keys({ limit: 2 }))],
  [
    'a range that was left before',
    async tx => {
      for await (const key of tx.keys()) if (key === 'c') break
    }
  ],
  ['a range backwards that was left before', tx => tx.keys({ reverse: true }).next()],
  ['an iterator that has not begun', tx => tx.keys()],
  [
    'its own write',
    async tx => {
      await tx.put('m0', 1)
      await tx.get('m0')
    }
  ]
]

/** Which commits exclude each other. */
export function isolation(target: Target): void {
  const opened = async () => {
    const db = await openNew(target)
    await db.batch(['a', 'c', 'x'].map(key => ({ type: 'put', key, value: 1 })))
    return db
  }

  describe('a serializable transaction that wrote', () => {
    it.each(changed)('conflicts when another commit changes what it read: %s', async (_, read) => {
      const db = await opened()
      const tx = await db.begin()
      await read(tx)
      await tx.put('w', 1)
      await db.put('m', 1)
      await rejection('LIGHTNING_CONFLICT', tx.commit())
      expect(await db.has('w')).toBe(false)
    })

    it.each(unchanged)('commits when it read something else: %s', async (_, read) => {
      const db = await opened()
      const tx = await db.begin()
      await read(tx)
      await tx.put('w', 1)
      await db.put('m', 1)
      await tx.commit()
      expect(await db.has('w')).toBe(true)
    })

    it.each([
      ['up to a limit', false],
      ['up to a limit', true],
      ['and left', false],
      ['and left', true]
    ])('knows how far a range was read %s while others are read: backwards %s', async (how, reverse) => {
      const db = await opened()
      const keys = Array.from({ length: 300 }, (_, i) => String(i + 1000))
      await db.batch(['b', 'n', 'o'].flatMap(first => keys.map(key => ({ type: 'put', key: first + key, value: 1 }))))
      const readUntil = async (rows: number): Promise<AnyTransaction<string, unknown>> => {
        const tx = await db.begin()
        let read = 0
        for await (const _ of tx.keys({ prefix: 'n', reverse, ...(how === 'and left' ? {} : { limit: rows }) })) {
          if (++read === rows && how === 'and left') break
        }
        expect(read).toBe(rows)
        // These take the place of the rows above.
        expect(await all(db.keys({ prefix: reverse ? 'o' : 'b' }))).toHaveLength(300)
        await tx.put('w', 1)
        return tx
      }
      const within = reverse ? 'n1200x' : 'n1100x'
      for (const rows of [128, 150]) {
        const conflicting = await readUntil(rows)
        const other = await readUntil(rows - 100)
        await db.put(within, rows)
        await rejection('LIGHTNING_CONFLICT', conflicting.commit())
        await other.commit()
      }
    })

    it.each([99, 100, 101, 128, 1_124])('knows that a range was read up to its limit: %i rows', async limit => {
      const db = await opened()
      const keys = Array.from({ length: 1_200 }, (_, i) => `n${i + 1_000}`)
      await db.batch(keys.map(key => ({ type: 'put', key, value: 1 })))
      for (const [reverse, within] of [
        [false, 'n1050x'],
        [true, 'n2150x']
      ] as const) {
        const tx = await db.begin()
        expect(await all(tx.keys({ prefix: 'n', limit, reverse }))).toHaveLength(limit)
        await tx.put('w', 1)
        await db.put(within, 1)
        await rejection('LIGHTNING_CONFLICT', tx.commit())
      }
    })

    it.each(['del', 'batch', 'clear', 'limited clear', 'transaction'])(
      'conflicts whatever way its key was changed: %s',
      async way => {
        const db = await opened()
        const tx = await db.begin()
        await tx.get('c')
        await tx.put('w', 1)
        if (way === 'del') await db.del('c')
        else if (way === 'batch') await db.batch([{ type: 'del', key: 'c' }])
        else if (way === 'clear') await db.clear({ gt: 'b', lt: 'd' })
        else if (way === 'limited clear') await db.clear({ gt: 'b', limit: 1 })
        else await db.transaction(other => other.put('c', 2), { isolation: 'read-committed' })
        await rejection('LIGHTNING_CONFLICT', tx.commit())
      }
    )

    it('conflicts when a sublevel that it read was dropped', async () => {
      const db = await opened()
      const sub = db.sublevel('sub')
      await sub.put('a', 1)
      const tx = await db.begin()
      await within(tx, sub).get('b')
      await tx.put('w', 1)
      await db.dropSublevel('sub')
      await rejection('LIGHTNING_CONFLICT', tx.commit())
    })

    it('conflicts when a sublevel that it found missing was made', async () => {
      const db = await opened()
      const sub = db.sublevel('sub')
      const tx = await db.begin()
      expect(await within(tx, sub).count()).toBe(0)
      await tx.put('w', 1)
      await sub.put('a', 1)
      await rejection('LIGHTNING_CONFLICT', tx.commit())
    })
  })

  describe('a transaction', () => {
    it.each(['serializable', 'snapshot'] as const)(
      'conflicts on keys it wrote, blind ones too: %s',
      async isolation => {
        const db = await opened()
        for (const write of [
          (tx: AnyTransaction<string, unknown>) => tx.put('m', 2),
          (tx: AnyTransaction<string, unknown>) => tx.del('m'),
          (tx: AnyTransaction<string, unknown>) => tx.clear({ gte: 'l', lt: 'n' })
        ]) {
          const tx = await db.begin({ isolation })
          await write(tx)
          await db.put('m', 1)
          await rejection('LIGHTNING_CONFLICT', tx.commit())
        }
        expect(await db.get('m')).toBe(1)
      }
    )

    it('does not conflict on what it read at the level snapshot', async () => {
      const db = await opened()
      for (const [, read] of changed) {
        const tx = await db.begin({ isolation: 'snapshot' })
        await read(tx)
        await tx.put('w', 1)
        await db.put('m', 1)
        await tx.commit()
        await db.del('m')
      }
    })

    it('conflicts at read-committed only by locks', async () => {
      const db = await opened()
      const tx = await db.begin({ isolation: 'read-committed' })
      await tx.get('a')
      await tx.put('a', 2)
      await db.put('a', 3)
      await tx.commit()
      expect(await db.get('a')).toBe(2)
      const locking = await db.begin({ isolation: 'read-committed' })
      expect(await locking.getForUpdate('a')).toBe(2)
      await db.put('a', 4)
      await rejection('LIGHTNING_CONFLICT', locking.commit())
    })

    it.each(['serializable', 'snapshot', 'read-committed'] as const)(
      'without a write never conflicts: %s',
      async (isolation: Isolation) => {
        const db = await opened()
        const tx = await db.begin({ isolation })
        for (const [, read] of changed) await read(tx)
        const start = tx.savepoint()
        await tx.put('m', 1)
        await tx.rollbackTo(start)
        await db.clear()
        await tx.commit()
      }
    )

    it('conflicts no more once its snapshot is newer than the change', async () => {
      const db = await opened()
      const beside = await db.begin()
      await db.put('a', 2)
      const tx = await db.begin()
      await tx.put('a', (Number(await tx.get('a')) ?? 0) + 1)
      await tx.commit()
      expect(await db.get('a')).toBe(3)
      await beside.rollback()
    })

    it('leaves the outcome of write skew to its level', async () => {
      for (const [isolation, outcome] of [
        ['serializable', 'LIGHTNING_CONFLICT'],
        ['snapshot', undefined]
      ] as const) {
        const db = await opened()
        const [one, two] = [await db.begin({ isolation }), await db.begin({ isolation })]
        for (const tx of [one, two]) expect(await tx.getMany(['a', 'c'])).toEqual([1, 1])
        one.put('a', 0)
        two.put('c', 0)
        await one.commit()
        if (outcome === undefined) await two.commit()
        else await rejection(outcome, two.commit())
      }
    })
  })
}
