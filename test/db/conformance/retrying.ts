import { describe, expect, it } from 'vitest'
import { expectCode } from '../../encoding/support.ts'
import { callUnchecked, openNew, rejection, type Target } from '../../support/database.ts'
import { nextTurn } from '../../support/next-turn.ts'

const never = () => new Promise<never>(() => undefined)

/** `transaction` and `transactionSync`: bodies, attempts, and what ends them. */
export function retrying(target: Target): void {
  describe('db.transaction', () => {
    it('commits and gives the result of its body', async () => {
      const db = await openNew(target)
      const result = await db.transaction(async tx => {
        expect([tx.attempt, tx.isolation]).toEqual([1, 'serializable'])
        tx.put('a', 1)
        await Promise.resolve()
        return 'done'
      })
      expect([result, db.get('a')]).toEqual(['done', 1])
      expect(await db.transaction(tx => tx.get('a'), { isolation: 'snapshot' })).toBe(1)
    })

    it('rolls back and passes on what the body throws, without another attempt', async () => {
      const db = await openNew(target)
      const fault = new Error('no')
      let attempts = 0
      await expect(
        db.transaction(tx => {
          attempts++
          tx.put('a', 1)
          throw fault
        })
      ).rejects.toBe(fault)
      expect([attempts, db.has('a')]).toEqual([1, false])
    })

    it('runs the body again after a conflict, whatever it throws or swallows', async () => {
      const db = await openNew(target)
      for (const reaction of ['commits', 'throws', 'swallows']) {
        const attempts: number[] = []
        await db.transaction(async tx => {
          attempts.push(tx.attempt)
          tx.get('a')
          tx.put('b', tx.attempt)
          if (tx.attempt > 2) return
          await db.put('a', tx.attempt)
          if (reaction === 'commits') return
          const error = await rejection('LIGHTNING_CONFLICT', tx.getForUpdate('a'))
          if (reaction === 'throws') throw new Error('something else', { cause: error })
        })
        expect([reaction, attempts, db.get('b')]).toEqual([reaction, [1, 2, 3], 3])
      }
    })

    it('gives up after as many retries as asked for', async () => {
      const db = await openNew(target)
      for (const [retries, attempts] of [
        [0, 1],
        [3, 4]
      ] as const) {
        let count = 0
        const losing = db.transaction(
          async tx => {
            count = tx.attempt
            tx.get('a')
            tx.put('b', 1)
            await db.put('a', count)
          },
          { retries }
        )
        await rejection('LIGHTNING_CONFLICT', losing)
        expect(count).toBe(attempts)
      }
      expect(db.has('b')).toBe(false)
    })

    it('runs the body of a deadlock’s victim again', async () => {
      const db = await openNew(target)
      let begun = 0
      const body = (first: string, second: string) =>
        db.transaction(async tx => {
          tx.put(first, Number((await tx.getForUpdate(first)) ?? 0) + 1)
          begun++
          while (begun < 2) await nextTurn()
          tx.put(second, Number((await tx.getForUpdate(second)) ?? 0) + 1)
          return tx.attempt
        })
      expect(await Promise.all([body('a', 'b'), body('b', 'a')])).toEqual([1, 2])
      expect(db.getMany(['a', 'b'])).toEqual([2, 2])
    })

    it('counts right under contention at every level that protects', async () => {
      const db = await openNew(target)
      for (const isolation of ['serializable', 'snapshot'] as const) {
        await db.put('n', 0)
        const increment = () =>
          db.transaction(
            async tx => {
              const n = Number(tx.get('n'))
              await Promise.resolve()
              tx.put('n', n + 1)
            },
            { isolation, retries: Number.POSITIVE_INFINITY }
          )
        await Promise.all(Array.from({ length: 30 }, increment))
        expect(db.get('n')).toBe(30)
      }
    })

    it('is not joined by what happens outside', async () => {
      const db = await openNew(target)
      await expect(
        db.transaction(async tx => {
          tx.put('a', 1)
          await db.put('b', 1)
          expect(db.has('a')).toBe(false)
          throw new Error('no')
        })
      ).rejects.toThrow('no')
      expect([...db.keys()]).toEqual(['b'])
    })

    it('lets its body end it', async () => {
      const db = await openNew(target)
      const rolledBack = await db.transaction(tx => {
        tx.put('a', 1)
        tx.rollback()
        return 'nothing to do'
      })
      await db.transaction(async tx => {
        tx.put('b', 1)
        await tx.commit()
      })
      expect([rolledBack, [...db.keys()]]).toEqual(['nothing to do', ['b']])
    })

    it('ends a body that never ends with LIGHTNING_TIMEOUT, and does not try again', async () => {
      const db = await openNew(target)
      let used: unknown
      const late = db.transaction(
        async tx => {
          expect(tx.attempt).toBe(1)
          await tx.getForUpdate('a')
          tx.put('a', 1)
          used = tx
          await never()
        },
        { timeoutMs: 1 }
      )
      await rejection('LIGHTNING_TIMEOUT', late)
      expectCode('LIGHTNING_CLOSED', () => callUnchecked(Object(used), 'get', 'a'))
      await db.transaction(async tx => tx.put('a', (await tx.getForUpdate('a', { lockTimeoutMs: 0 })) ?? 2))
      expect(db.get('a')).toBe(2)
    })

    it('is aborted by its signal: before, in the body, while it waits for a lock', async () => {
      const db = await openNew(target)
      const reason = new Error('enough')
      await rejection(
        'LIGHTNING_ABORTED',
        db.transaction(() => 1, { signal: AbortSignal.abort() })
      )
      const holder = db.begin()
      await holder.getForUpdate('a')
      for (const body of [
        never,
        (tx: ReturnType<typeof db.begin>) => tx.getForUpdate('a'),
        (tx: ReturnType<typeof db.begin>) => tx.put('a', 1)
      ]) {
        const controller = new AbortController()
        const aborted = rejection('LIGHTNING_ABORTED', db.transaction(body, { signal: controller.signal }))
        setTimeout(() => controller.abort(reason))
        expect((await aborted).cause).toBe(reason)
      }
      holder.rollback()
      expect(db.has('a')).toBe(false)
    })
  })

  describe('db.transactionSync', () => {
    it('commits before it returns, and gives the result of its body', async () => {
      const db = await openNew(target)
      const result = db.transactionSync(tx => {
        tx.put('a', 1)
        expect(tx.get('a')).toBe(1)
        expect(db.has('a')).toBe(false)
        return 'done'
      })
      expect([result, db.get('a')]).toEqual(['done', 1])
    })

    it('rolls back when its body throws', async () => {
      const db = await openNew(target)
      const fault = new Error('no')
      let error: unknown
      try {
        db.transactionSync(tx => {
          tx.put('a', 1)
          throw fault
        })
      } catch (thrown) {
        error = thrown
      }
      expect([error, db.has('a')]).toEqual([fault, false])
    })

    it('refuses a body that returns a promise, and getForUpdate inside', async () => {
      const db = await openNew(target)
      expectCode('LIGHTNING_INVALID_ARGUMENT', () =>
        db.transactionSync(async tx => {
          tx.put('a', 1)
          await Promise.resolve()
          tx.put('b', 1)
        })
      )
      db.transactionSync(tx => {
        expectCode('LIGHTNING_INVALID_ARGUMENT', () => tx.getForUpdate('a'))
        tx.put('c', 1)
      })
      await nextTurn()
      expect([...db.keys()]).toEqual(['c'])
    })

    it('is a conflict when its own body changes what it read from outside', async () => {
      const db = await openNew(target)
      expectCode('LIGHTNING_CONFLICT', () =>
        db.transactionSync(tx => {
          tx.get('a')
          db.putSync('a', 1)
          tx.put('b', 1)
        })
      )
    })
  })
}
