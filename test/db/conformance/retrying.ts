import { describe, expect, it } from 'vitest'
import { callUnchecked, rejection, type Target } from '../../support/database.ts'
import { all, type AnyTransaction, openNew, refusal } from '../../support/either.ts'
import { deferred } from '../../support/deferred.ts'
import { nextTurn } from '../../support/next-turn.ts'

const never = () => new Promise<never>(() => undefined)

/** `transaction` and `transactionSync`: bodies, attempts, and what ends them. */
export function retrying(target: Target): void {
  describe('db.transaction', () => {
    it('commits and gives the result of its body', async () => {
      const db = await openNew(target)
      const result = await db.transaction(async tx => {
        expect([tx.attempt, tx.isolation]).toEqual([1, 'serializable'])
        await tx.put('a', 1)
        await Promise.resolve()
        return 'done'
      })
      expect([result, await db.get('a')]).toEqual(['done', 1])
      expect(await db.transaction(tx => tx.get('a'), { isolation: 'snapshot' })).toBe(1)
    })

    it('rolls back and passes on what the body throws, without another attempt', async () => {
      const db = await openNew(target)
      const fault = new Error('no')
      let attempts = 0
      await expect(
        db.transaction(async tx => {
          attempts++
          await tx.put('a', 1)
          throw fault
        })
      ).rejects.toBe(fault)
      expect([attempts, await db.has('a')]).toEqual([1, false])
    })

    it('runs the body again after a conflict, whatever it throws or swallows', async () => {
      const db = await openNew(target)
      for (const reaction of ['commits', 'throws', 'swallows']) {
        const attempts: number[] = []
        await db.transaction(async tx => {
          attempts.push(tx.attempt)
          await tx.get('a')
          await tx.put('b', tx.attempt)
          if (tx.attempt > 2) return
          await db.put('a', tx.attempt)
          if (reaction === 'commits') return
          const error = await rejection('LIGHTNING_CONFLICT', tx.getForUpdate('a'))
          if (reaction === 'throws') throw new Error('something else', { cause: error })
        })
        expect([reaction, attempts, await db.get('b')]).toEqual([reaction, [1, 2, 3], 3])
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
            await tx.get('a')
            await tx.put('b', 1)
            await db.put('a', count)
          },
          { retries }
        )
        await rejection('LIGHTNING_CONFLICT', losing)
        expect(count).toBe(attempts)
      }
      expect(await db.has('b')).toBe(false)
    })

    it('runs the body of a deadlock’s victim again', async () => {
      const db = await openNew(target)
      let begun = 0
      const body = (first: string, second: string) =>
        db.transaction(async tx => {
          await tx.put(first, Number((await tx.getForUpdate(first)) ?? 0) + 1)
          begun++
          while (begun < 2) await nextTurn()
          await tx.put(second, Number((await tx.getForUpdate(second)) ?? 0) + 1)
          return tx.attempt
        })
      expect(await Promise.all([body('a', 'b'), body('b', 'a')])).toEqual([1, 2])
      expect(await db.getMany(['a', 'b'])).toEqual([2, 2])
    })

    it('counts right under contention at every level that protects', async () => {
      const db = await openNew(target)
      for (const isolation of ['serializable', 'snapshot'] as const) {
        await db.put('n', 0)
        const increment = () =>
          db.transaction(
            async tx => {
              const n = Number(await tx.get('n'))
              await Promise.resolve()
              await tx.put('n', n + 1)
            },
            { isolation, retries: Number.POSITIVE_INFINITY }
          )
        await Promise.all(Array.from({ length: 30 }, increment))
        expect(await db.get('n')).toBe(30)
      }
    })

    it('is not joined by what happens outside', async () => {
      const db = await openNew(target)
      await expect(
        db.transaction(async tx => {
          await tx.put('a', 1)
          await db.put('b', 1)
          expect(await db.has('a')).toBe(false)
          throw new Error('no')
        })
      ).rejects.toThrow('no')
      expect(await all(db.keys())).toEqual(['b'])
    })

    it('lets its body end it', async () => {
      const db = await openNew(target)
      const rolledBack = await db.transaction(async tx => {
        await tx.put('a', 1)
        await tx.rollback()
        return 'nothing to do'
      })
      await db.transaction(async tx => {
        await tx.put('b', 1)
        await tx.commit()
      })
      expect([rolledBack, await all(db.keys())]).toEqual(['nothing to do', ['b']])
    })

    it('waits for a commit that its body does not wait for, and runs the body again when that conflicts', async () => {
      const db = await openNew(target)
      const holder = await db.begin()
      await holder.getForUpdate('b')
      const attempts: number[] = []
      const hasBegun = deferred()
      const running = db.transaction(async tx => {
        attempts.push(tx.attempt)
        await tx.get('a')
        await tx.put('b', tx.attempt)
        tx.commit().catch(() => undefined)
        hasBegun.resolve()
      })
      await hasBegun.promise
      await holder.put('a', 1)
      await holder.commit()
      await running
      expect([attempts, await db.get('b')]).toEqual([[1, 2], 2])
    })

    it('ends a body that never ends with LIGHTNING_TIMEOUT, and does not try again', async () => {
      const db = await openNew(target)
      // Where it takes longer to begin, the body is not called at all.
      const used: object[] = []
      const late = db.transaction(
        async tx => {
          used.push(tx)
          expect(tx.attempt).toBe(1)
          await tx.getForUpdate('a')
          await tx.put('a', 1)
          await never()
        },
        { timeoutMs: 1 }
      )
      await rejection('LIGHTNING_TIMEOUT', late)
      for (const tx of used) await refusal('LIGHTNING_CLOSED', () => callUnchecked(tx, 'get', 'a'))
      await db.transaction(async tx => tx.put('a', (await tx.getForUpdate('a', { lockTimeoutMs: 0 })) ?? 2))
      expect(await db.get('a')).toBe(2)
    })

    it('is aborted by its signal: before, in the body, while it waits for a lock', async () => {
      const db = await openNew(target)
      const reason = new Error('enough')
      await rejection(
        'LIGHTNING_ABORTED',
        db.transaction(() => 1, { signal: AbortSignal.abort() })
      )
      const holder = await db.begin()
      await holder.getForUpdate('a')
      for (const body of [
        never,
        (tx: AnyTransaction<string, unknown>) => tx.getForUpdate('a'),
        (tx: AnyTransaction<string, unknown>) => tx.put('a', 1)
      ]) {
        const controller = new AbortController()
        const aborted = rejection('LIGHTNING_ABORTED', db.transaction(body, { signal: controller.signal }))
        setTimeout(() => controller.abort(reason))
        expect((await aborted).cause).toBe(reason)
      }
      await holder.rollback()
      expect(await db.has('a')).toBe(false)
    })
  })

  describe.runIf(target.isRemote !== true)('db.transactionSync', () => {
    it('commits before it returns, and gives the result of its body', async () => {
      const db = await openNew(target)
      const result = db.transactionSync(tx => {
        void tx.put('a', 1)
        expect(tx.get('a')).toBe(1)
        expect(db.has('a')).toBe(false)
        return 'done'
      })
      expect([result, await db.get('a')]).toEqual(['done', 1])
    })

    it('rolls back when its body throws', async () => {
      const db = await openNew(target)
      const fault = new Error('no')
      let error: unknown
      try {
        db.transactionSync(tx => {
          void tx.put('a', 1)
          throw fault
        })
      } catch (thrown) {
        error = thrown
      }
      expect([error, await db.has('a')]).toEqual([fault, false])
    })

    it('refuses a body that returns a promise, and getForUpdate inside', async () => {
      const db = await openNew(target)
      await refusal('LIGHTNING_INVALID_ARGUMENT', () =>
        db.transactionSync(async tx => {
          await tx.put('a', 1)
          await Promise.resolve()
          await tx.put('b', 1)
        })
      )
      db.transactionSync(tx => {
        expect(() => tx.getForUpdate('a')).toThrow(expect.objectContaining({ code: 'LIGHTNING_INVALID_ARGUMENT' }))
        void tx.put('c', 1)
      })
      await nextTurn()
      expect(await all(db.keys())).toEqual(['c'])
    })

    it('is a conflict when its own body changes what it read from outside', async () => {
      const db = await openNew(target)
      await refusal('LIGHTNING_CONFLICT', () =>
        db.transactionSync(tx => {
          void tx.get('a')
          db.putSync('a', 1)
          void tx.put('b', 1)
        })
      )
    })
  })
}
