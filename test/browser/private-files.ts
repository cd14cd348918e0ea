import { describe, expect, it, onTestFinished } from 'vitest'
import { open, persisted, requestPersistence } from '../../src/index.ts'
import { openAt, rejection } from '../support/database.ts'
import { inPrivateFiles } from '../support/in-private-files.ts'
import type { Answer, Order } from './opener.ts'

/** Another worker, which opens databases when told to. */
class Other {
  readonly #worker = new Worker('/opener.js', { type: 'module', name: 'other' })

  constructor() {
    onTestFinished(() => this.end())
  }

  end(): void {
    this.#worker.terminate()
  }

  tell(order: Order): void {
    this.#worker.postMessage(order)
  }

  answer(isMeant: (answer: Answer) => boolean = () => true): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if (isMeant(data)) resolve(data)
      }
      this.#worker.onerror = event => reject(new Error(event.message))
    })
  }

  ask(order: Order): Promise<Answer> {
    const answer = this.answer()
    this.tell(order)
    return answer
  }
}

/** What is particular to databases in browsers: workers that hold each other off, and that die. */
export function describePrivateFiles(): void {
  describe('a database in private files', () => {
    it('has one owner among all workers, and says who that is', async () => {
      const location = await inPrivateFiles.newLocation()
      const other = new Other()
      expect(await other.ask({ open: location })).toEqual({ opened: true })
      const error = await rejection('LIGHTNING_LOCKED', open(location))
      expect(error.message).toContain(`open for writing in a worker "other" of ${globalThis.location.origin}, since 2`)
    })

    it('is for several that only read, in several workers', async () => {
      const location = await inPrivateFiles.newLocation()
      const writer = await open(location)
      await writer.put('a', 1)
      await writer.close()
      const other = new Other()
      expect(await other.ask({ open: location, readOnly: true })).toEqual({ opened: true })
      const db = await openAt(location, { readOnly: true })
      expect(db.get('a')).toBe(1)
      const error = await rejection('LIGHTNING_LOCKED', open(location))
      expect(error.message).toContain('open for reading')
    })

    it('is free, and whole, when the worker that owned it was ended in the middle of writing', async () => {
      const location = await inPrivateFiles.newLocation()
      let next = 0
      for (const count of [1, 60, 200]) {
        const other = new Other()
        expect(await other.ask({ open: location })).toEqual({ opened: true })
        const target = next + count
        let acknowledged = -1
        const enough = other.answer(answer => {
          if ('wrote' in answer) acknowledged = answer.wrote
          return acknowledged >= target
        })
        other.tell({ write: next })
        await enough
        other.end()
        const db = await openWhenFree(location)
        const last = Number(db.get('last'))
        expect(last).toBeGreaterThanOrEqual(acknowledged)
        expect(db.get(`at-${last % 500}`)).toBe(last)
        expect((await db.verify()).problems).toEqual([])
        await db.close()
        next = last + 1
      }
    })

    it('is nowhere but in directories below the root', async () => {
      for (const location of ['..', 'a/../b', '/', '.']) {
        await rejection('LIGHTNING_INVALID_ARGUMENT', open(location))
      }
      const location = await inPrivateFiles.newLocation()
      const db = await openAt(`./${location}/`)
      expect(db.location).toBe(`opfs:/${location}`)
    })

    it('may be removed by the browser unless the page has asked', async () => {
      expect(await persisted()).toBe(false)
      await rejection('LIGHTNING_UNAVAILABLE', requestPersistence())
    })
  })
}

/** A browser frees the lock of a worker some moments after its end. */
async function openWhenFree(location: string): ReturnType<typeof open> {
  const free = navigator.locks.request(`lightning-db:/${location}`, () => undefined)
  await free
  return await open(location)
}
