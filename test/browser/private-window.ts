// What runs in a private window.
import { describe, expect, it } from 'vitest'
import { open } from '../../src/index.ts'
import { openAt, rejection } from '../support/database.ts'
import { runAndReport } from './reporting.ts'

const isFirefox = navigator.userAgent.includes('Firefox')

await runAndReport({
  'private window': () =>
    describe('in a private window', () => {
      it.runIf(isFirefox)('there are no files, and open says what that may be due to', async () => {
        const error = await rejection('LIGHTNING_UNAVAILABLE', open('app'))
        expect(error.message).toContain('Private windows')
      })

      it.runIf(!isFirefox)('databases are kept for as long as the window is there', async () => {
        const db = await open('app')
        await db.put('a', 1)
        await db.close()
        const again = await openAt('app')
        expect(again.get('a')).toBe(1)
      })

      it('databases in memory work', async () => {
        const db = await openAt(':memory:')
        await db.put('a', 1)
        expect(db.get('a')).toBe(1)
      })
    })
})
